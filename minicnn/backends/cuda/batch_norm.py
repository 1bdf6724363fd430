"""batch_norm: to come."""
