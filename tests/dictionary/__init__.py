"""The dictionaries of PS3.6 and PS3.7, private ones, and a program's own entries."""
