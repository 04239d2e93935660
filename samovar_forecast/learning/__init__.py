"""Windows, training, and what is learned from a panel."""
