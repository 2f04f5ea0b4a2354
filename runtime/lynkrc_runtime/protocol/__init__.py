"""Dialects, sans-IO: bytes in, neutral values and events out, and back."""
