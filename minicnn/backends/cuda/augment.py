"""augment: to come."""
