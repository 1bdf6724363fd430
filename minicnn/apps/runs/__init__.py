"""Runs: a training from images on the disk to a folder with model, figures and report."""
