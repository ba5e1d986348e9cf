"""Names that a package loads when they are first asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["later"]


def later(
    package: str, homes: Mapping[str, Iterable[str]], *, modules: Iterable[str] = (), extra: str = ""
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package that loads some of its names when they are first asked for.

    Parameters
    ----------
    package
        Its ``__name__``.
    homes
        Names by the module that has them, which is absolute, or relative to the package: ``".reading"``.
    modules
        Modules of the package that are names of it, too.
    extra
        The extra that brings what these modules import and an installation may lack: the error names it.
    """
    places = {name: module for module, names in homes.items() for name in names}
    whole = frozenset(modules)

    def load(name: str) -> Any:
        from importlib import import_module

        if name in whole:
            return import_module(f"{package}.{name}")  # which becomes an attribute of the package by itself
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            found = getattr(import_module(places[name], package), name)
        except ModuleNotFoundError as error:
            if not extra or error.name is None or error.name.startswith("dicomcore"):
                raise
            message = f'{error.name} is not installed; pip install "dicomcore[{extra}]" brings it'
            raise ModuleNotFoundError(message, name=error.name) from None
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places, *whole})

    return load, names
