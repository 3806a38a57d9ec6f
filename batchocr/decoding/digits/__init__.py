"""Which detections are digits, and which digit each is."""
