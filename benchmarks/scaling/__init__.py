"""The parts of scaling_model.py: what it measures, what it predicts, and its figures."""
