"""Data sets from bytes and to bytes (PS3.5): scanning, deviations, values, transfer syntaxes."""
