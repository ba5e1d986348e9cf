"""dicomcore as a plugin of pydicom, and data sets converted both ways; ``pip install dicomcore[pydicom]``."""

from dicomcore.interop.pydicom.inward import from_pydicom
from dicomcore.interop.pydicom.outward import to_pydicom
from dicomcore.interop.pydicom.registration import PLUGIN, register, unregister

__all__ = ["PLUGIN", "from_pydicom", "register", "to_pydicom", "unregister"]
