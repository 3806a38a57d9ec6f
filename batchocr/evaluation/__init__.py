"""Measuring: comparison with ground truth, figures, plots, and calibration on the user's own pages."""
