"""Data sets checked against the tables of PS3.3, over the rows of their index."""
