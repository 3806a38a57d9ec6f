"""Pages made up on the fly to train on: writing, what stands around it, paper, and how it is scanned."""
