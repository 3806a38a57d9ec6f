"""Detections and probabilities → lines, numbers, signs, confidences, and what a person should look at."""
