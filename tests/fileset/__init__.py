"""Tests of file-sets and DICOMDIR."""
