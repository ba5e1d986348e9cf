"""What tests, benches and fuzz targets share: real files, bytes made by hand, other software's answers."""
