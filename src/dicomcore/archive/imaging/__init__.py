"""Frames and volumes from the files of an index."""
