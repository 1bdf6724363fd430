"""conv2d_max_pool2d: to come."""
