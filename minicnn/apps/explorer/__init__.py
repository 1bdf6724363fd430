"""Look into networks, forward and backward, and watch them learn; this package knows no web."""
