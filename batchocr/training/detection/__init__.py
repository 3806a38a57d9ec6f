"""How the detector is trained: its network, what its cells should answer, its losses, and the training itself."""
