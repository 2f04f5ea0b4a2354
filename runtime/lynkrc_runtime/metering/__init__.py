"""Rates and budgets: what a request may take, and what it took."""
