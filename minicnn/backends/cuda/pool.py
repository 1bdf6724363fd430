"""pool: to come."""
