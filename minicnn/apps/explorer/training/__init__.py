"""Trainings that are watched: networks from blocks, steps that can be taken and undone."""
