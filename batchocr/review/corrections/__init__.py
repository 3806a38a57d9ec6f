"""Corrections of a person: reading and checking their file, applying them, comparing two reviewers, saving crops."""
