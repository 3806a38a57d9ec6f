"""Draft a form file from the image of a blank form."""
