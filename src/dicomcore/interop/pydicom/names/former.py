"""Names that pydicom 4 will not have: they warn when they are asked for, as in pydicom 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dicomcore.interop.pydicom.names import config
from dicomcore.interop.pydicom.names.misc import warn_and_log
from dicomcore.interop.pydicom.place import missing

__all__ = ["former_names"]


def former_names(module: str, names: Mapping[str, tuple[Any, str]]) -> Callable[[str], Any]:
    """The `__getattr__` of a page: it gives each name's object and warns with its text.

    With `config.future_behavior` they are not there. Other names are looked up as on every page.
    """

    def told(name: str) -> Callable[[], Any]:
        def give() -> Any:
            if config._use_future:
                raise AttributeError(f"module {module!r} has no attribute {name!r}")
            value, text = names[name]
            warn_and_log(text, DeprecationWarning)
            return value

        return give

    return missing(module, {name: told(name) for name in names})
