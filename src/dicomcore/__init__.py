"""dicomcore: a DICOM parser and codec engine."""
