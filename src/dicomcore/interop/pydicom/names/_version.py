"""The version of pydicom whose names these are."""

__version__ = "3.0.2"
__version_info__ = ("3", "0", "2")
__dicom_version__ = "2024c"
__concepts_version__ = "2024c"
