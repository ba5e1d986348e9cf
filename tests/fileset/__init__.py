"""File-sets and DICOMDIR."""
