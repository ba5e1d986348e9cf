"""Helpers of tests, benches and fuzz targets: real files, hand-made bytes, other software's answers."""
