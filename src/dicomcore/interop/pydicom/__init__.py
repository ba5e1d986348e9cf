"""pydicom: dicomcore in its place, as its plugin, and data sets converted both ways.

`install` needs no pydicom. The rest does: ``pip install dicomcore[pydicom]``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomcore.interop.pydicom.inward import from_pydicom
    from dicomcore.interop.pydicom.outward import to_pydicom
    from dicomcore.interop.pydicom.place import install, uninstall
    from dicomcore.interop.pydicom.registration import PLUGIN, register, unregister

__all__ = ["PLUGIN", "from_pydicom", "install", "register", "to_pydicom", "uninstall", "unregister"]

# The modules behind most of these names import pydicom, which `install` replaces: each is loaded when it is asked for.
PLACES = {
    "PLUGIN": "registration",
    "from_pydicom": "inward",
    "install": "place",
    "register": "registration",
    "to_pydicom": "outward",
    "uninstall": "place",
    "unregister": "registration",
}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{PLACES[name]}"), name)
