"""Tests of display, from samples to a picture: look-up tables, windows, rendering."""
