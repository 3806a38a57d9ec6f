"""Crops → probabilities → readings. Knows Keras, but neither OpenCV nor files other than the model."""
