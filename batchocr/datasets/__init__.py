"""Data in its forms: sets of digits, public collections, and what is kept out of training."""
