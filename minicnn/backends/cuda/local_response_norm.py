"""local_response_norm: to come."""
