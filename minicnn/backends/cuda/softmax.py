"""softmax: to come."""
