"""Who calls: virtual keys, and what each may do."""
