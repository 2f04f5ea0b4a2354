"""The reference page of the language, made of the tables that define it."""
