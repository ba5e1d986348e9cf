"""Generators of the native tables of the standard: readers of its tables as data, and what is made of them."""
