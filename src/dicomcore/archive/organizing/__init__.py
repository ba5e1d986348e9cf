"""Organizing the files of an index into folders, and transcoding folders."""
