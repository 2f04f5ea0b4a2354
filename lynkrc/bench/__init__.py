"""What a policy costs when it runs: its table, its scan, its decisions, measured here and now."""
