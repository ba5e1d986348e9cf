"""Tests of reading and writing data sets (PS3.5): scanning, deviations, values, transfer syntaxes."""
