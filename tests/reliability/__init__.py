"""Tests of the whole package: hostile bytes, memory, threads, special files, real files against references."""
