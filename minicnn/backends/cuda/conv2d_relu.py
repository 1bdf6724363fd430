"""conv2d_relu: to come."""
