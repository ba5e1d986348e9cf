"""Tests of data sets in memory: access, values, changes, lifetimes."""
