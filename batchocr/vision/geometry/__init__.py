"""Geometry: the sheet on a page is found and rectified, and its writing is made level."""
