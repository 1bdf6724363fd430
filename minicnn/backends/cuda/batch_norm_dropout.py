"""batch_norm_dropout: to come."""
