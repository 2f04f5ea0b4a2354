"""Labelled requests to how well a spec tells those that need a strong model from the others."""
