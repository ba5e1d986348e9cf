"""pydicom.dataset."""

from __future__ import annotations

from dicomcore.dataset.private_block import PrivateBlock
from dicomcore.interop.pydicom.names.base_dataset import Dataset, FileMetaDataset, validate_file_meta
from dicomcore.interop.pydicom.names.dataelem import DataElement, RawDataElement
from dicomcore.interop.pydicom.names.file_dataset import FileDataset
from dicomcore.interop.pydicom.names.stated_encoding import default_encoding
from dicomcore.interop.pydicom.names.tag import BaseTag, Tag, TagType

__all__ = [
    "BaseTag",
    "DataElement",
    "Dataset",
    "FileDataset",
    "FileMetaDataset",
    "PrivateBlock",
    "RawDataElement",
    "Tag",
    "TagType",
    "default_encoding",
    "validate_file_meta",
]
