"""Tests of IODs: the native tables of PS3.3 and what `describe` gives."""
