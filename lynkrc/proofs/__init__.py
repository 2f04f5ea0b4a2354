"""The proof of a spec: verdicts with witnesses that were replayed, as findings and reports."""
