"""Data sets to and from bytes (PS3.5)."""
