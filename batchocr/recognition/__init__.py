"""The neural networks: from tiles to detections, and from crops to calibrated probabilities.

It uses Keras, but not OpenCV, and reads no files except models.
"""
