"""From samples to what a screen shows: look-up tables, windows, rendering."""
