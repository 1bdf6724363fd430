"""fold_batch_norm: to come."""
