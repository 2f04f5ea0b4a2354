"""Tests of routes, what they cover, and requests made from what a spec means."""
