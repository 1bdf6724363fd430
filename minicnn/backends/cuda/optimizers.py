"""optimizers: to come."""
