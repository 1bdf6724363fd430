"""conv2d_behind_relu: to come."""
