"""Requests and tests made from what a spec means."""
