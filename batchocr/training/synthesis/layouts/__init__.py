"""Page layouts: what is drawn on a canvas, and where."""
