"""Turn detections and class probabilities into lines, numbers, signs, confidences and review marks."""
