"""Requests that belong together, and the targets they stay with."""
