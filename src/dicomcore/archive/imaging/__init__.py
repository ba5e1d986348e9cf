"""Frames and volumes of the files that an index names."""
