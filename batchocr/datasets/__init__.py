"""Data sets: digits in several file formats, public collections, and what is kept out of training."""
