"""Measuring: what was read held against what stands there, figures, plots, calibration on pages of one's own."""
