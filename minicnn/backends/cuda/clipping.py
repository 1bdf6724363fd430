"""clipping: to come."""
