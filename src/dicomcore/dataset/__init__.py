"""Data sets, data elements and sequences, independent of files and pixels."""

from dicomcore.dataset.dataset import DataElement, Dataset, Sequence
from dicomcore.dataset.serving import serve

__all__ = ["DataElement", "Dataset", "Sequence"]

serve()
