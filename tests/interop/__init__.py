"""pydicom: data sets there and back, its plugin, its names."""
