"""losses: to come."""
