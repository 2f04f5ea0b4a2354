"""A usage log to what was spent, by whatever a record tells apart."""
