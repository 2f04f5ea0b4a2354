"""Tests of routes: requests and feature vectors, what is expected of them, and what they cover."""
