"""The project itself: pages, wheels, fuzz targets, ratios, what an import brings along."""
