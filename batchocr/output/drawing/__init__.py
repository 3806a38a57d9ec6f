"""Pages, stages and digits for review, drawn as images."""
