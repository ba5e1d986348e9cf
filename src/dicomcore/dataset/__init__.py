"""Data sets, data elements and sequences, independent of files and pixels."""

from dicomcore.dataset.dataset import DataElement, Dataset, Sequence

__all__ = ["DataElement", "Dataset", "Sequence"]
