"""dropout: to come."""
