"""Tests of tags, UIDs, values, text, numbers and threads: the modules that all others import."""
