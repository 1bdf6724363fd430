"""dense: to come."""
