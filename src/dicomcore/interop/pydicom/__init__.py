"""pydicom: dicomcore in its place, as its plugin, and data sets converted both ways.

`install` needs no pydicom. The rest does: ``pip install dicomcore[pydicom]``.
"""

from typing import TYPE_CHECKING

from dicomcore.later import later

if TYPE_CHECKING:
    from dicomcore.interop.pydicom.inward import from_pydicom
    from dicomcore.interop.pydicom.outward import to_pydicom
    from dicomcore.interop.pydicom.place import install, uninstall
    from dicomcore.interop.pydicom.registration import PLUGIN, register, unregister

__all__ = ["PLUGIN", "from_pydicom", "install", "register", "to_pydicom", "uninstall", "unregister"]

HOMES = {
    ".inward": ("from_pydicom",),
    ".outward": ("to_pydicom",),
    ".place": ("install", "uninstall"),
    ".registration": ("PLUGIN", "register", "unregister"),
}

# The modules behind most of these names import pydicom, which `install` replaces: each is loaded when it is asked for.
__getattr__, __dir__ = later(__name__, HOMES)
