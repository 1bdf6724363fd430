"""dense_update: to come."""
