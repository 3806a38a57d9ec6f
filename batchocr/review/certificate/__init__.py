"""Certificates: how wrong accepted items may be, from a reviewed sample, and when this no longer holds."""
