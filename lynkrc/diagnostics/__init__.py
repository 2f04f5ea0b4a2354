"""What a user is told: codes, findings, and how they are printed."""
