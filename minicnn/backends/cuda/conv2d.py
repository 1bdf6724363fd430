"""conv2d: to come."""
