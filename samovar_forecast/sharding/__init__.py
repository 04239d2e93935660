"""Many series of a long layout: forecasts frame by frame, and the files of a shard."""
