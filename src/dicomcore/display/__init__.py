"""Stored values to a picture for a screen (PS3.3 C.11, PS3.4 N.2)."""
