"""The detector's training: network, targets of its cells, losses, batches, and the training itself."""
