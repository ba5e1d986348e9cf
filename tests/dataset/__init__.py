"""Data sets in memory: access, values, changes, lifetimes."""
