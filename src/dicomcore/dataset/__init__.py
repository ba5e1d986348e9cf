"""Data sets, data elements and sequences, and what is asked of them without regard to files or pixels."""

from dicomcore.dataset.dataset import DataElement, Dataset, Sequence

__all__ = ["DataElement", "Dataset", "Sequence"]
