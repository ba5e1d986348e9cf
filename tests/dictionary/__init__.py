"""Tests of the dictionaries of PS3.6 and PS3.7, of private ones, and of a program's own entries."""
