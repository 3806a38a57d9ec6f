"""Pixels in, pixels out: level pages, tiles for the detector, crops for the classifier."""
