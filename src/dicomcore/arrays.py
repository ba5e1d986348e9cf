"""NumPy, imported when an array is first asked for, and arrays in the form that native code takes."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["as_bytes", "is_array", "is_floating", "is_integral", "np"]


if not TYPE_CHECKING:

    class _Numpy:
        """NumPy, imported with the first attribute that is asked for: most of what `import dicomcore` would take."""

        def __getattr__(self, name: str) -> Any:
            import numpy

            value = getattr(numpy, name)
            setattr(self, name, value)  # the next look-up finds it here
            return value

    np = _Numpy()


def is_array(value: object) -> bool:
    """Whether a value is a NumPy array. It is none before NumPy was imported."""
    return _is_of(value, "ndarray")


def is_integral(value: object) -> bool:
    """Whether a value is a whole number of NumPy's."""
    return _is_of(value, "integer")


def is_floating(value: object) -> bool:
    """Whether a value is a floating-point number of NumPy's."""
    return _is_of(value, "floating")


def _is_of(value: object, name: str) -> bool:
    return isinstance(value, getattr(sys.modules.get("numpy"), name, ()))


def as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The bytes of a contiguous array, as a one-dimensional view: writing to it changes the array."""
    return array.reshape(-1).view(np.uint8)
