"""pad: to come."""
