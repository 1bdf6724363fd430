"""Trainings from images on disk to a run folder with model, figures and report."""
