"""Image processing: level pages, tiles for the detector, crops for the classifier. No networks, no files."""
