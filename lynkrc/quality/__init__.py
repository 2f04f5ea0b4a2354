"""Labelled requests, and how well a policy routes them."""
