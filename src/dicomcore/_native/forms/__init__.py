"""DICOM JSON, both ways."""
