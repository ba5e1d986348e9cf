"""The bulk loop: the headers of many files as columns."""
