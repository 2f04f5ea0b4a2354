"""Traces to words and pages: why one request is decided as it is."""
