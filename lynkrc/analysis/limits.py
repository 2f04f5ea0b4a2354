"""What bounds the solver: its own count of steps, never time."""

RLIMIT = 30_000_000
"""Steps of one question: some seconds, of which ordinary ones take thousandths."""
