"""dicomcore inside pydicom, and data sets from one to the other; ``pip install dicomcore[pydicom]``."""

from dicomcore.interop.pydicom.inward import from_pydicom
from dicomcore.interop.pydicom.outward import to_pydicom
from dicomcore.interop.pydicom.registration import PLUGIN, register, unregister

__all__ = ["PLUGIN", "from_pydicom", "register", "to_pydicom", "unregister"]
