"""Two route tables to a plan of what changes, and the plan to a report."""
