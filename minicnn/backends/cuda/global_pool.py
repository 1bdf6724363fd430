"""global_pool: to come."""
