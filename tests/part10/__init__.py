"""Tests of DICOM files (PS3.10): sources, file meta information, writing in place and anew."""
