"""DICOM JSON and the Native DICOM Model in XML."""
