"""Synthetic pages, made during the training: handwriting, what is around it, paper, and its scan."""
