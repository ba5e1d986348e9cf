"""check: a data set beside the tables of its IOD."""
