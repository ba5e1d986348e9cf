"""Tests of the project itself: pages, wheels, fuzz targets, ratios, lazy imports."""
