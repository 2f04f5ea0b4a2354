"""Artifacts to one reproducible archive, and back."""
