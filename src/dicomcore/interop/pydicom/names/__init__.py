"""pydicom's names over dicomcore: one module for each of pydicom's, which `install` serves in pydicom's place.

The pages hold names, and what is only pydicom's shape; the work is done by dicomcore's rooms.
"""

from dicomcore.interop.pydicom.names._version import (
    __concepts_version__ as __concepts_version__,
)
from dicomcore.interop.pydicom.names._version import (
    __dicom_version__ as __dicom_version__,
)
from dicomcore.interop.pydicom.names._version import (
    __version__ as __version__,
)
from dicomcore.interop.pydicom.names._version import (
    __version_info__ as __version_info__,
)
from dicomcore.interop.pydicom.names.dataelem import DataElement
from dicomcore.interop.pydicom.names.dataset import Dataset, FileDataset, FileMetaDataset
from dicomcore.interop.pydicom.names.filereader import dcmread
from dicomcore.interop.pydicom.names.filewriter import dcmwrite
from dicomcore.interop.pydicom.names.pixels.utils import iter_pixels, pixel_array
from dicomcore.interop.pydicom.names.sequence import Sequence

__all__ = [
    "DataElement",
    "Dataset",
    "FileDataset",
    "FileMetaDataset",
    "Sequence",
    "__concepts_version__",
    "__dicom_version__",
    "__version__",
    "__version_info__",
    "dcmread",
    "dcmwrite",
    "iter_pixels",
    "pixel_array",
]
