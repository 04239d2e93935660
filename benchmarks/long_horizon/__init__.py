"""The long-horizon benchmark: one protocol and one search of the look-back for every model."""
