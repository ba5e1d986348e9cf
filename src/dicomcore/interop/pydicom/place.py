"""install: dicomcore in pydicom's place, for one process.

``import pydicom`` and the imports of its modules then give the pages of `dicomcore.interop.pydicom.names`. A module that
has no page there is pydicom's own, if pydicom is installed: its code then works on our classes.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import ModuleType

from dicomcore.interop.pydicom import wanted

__all__ = ["install", "uninstall"]

NAMES = "dicomcore.interop.pydicom.names"


def install(*, report: bool = True) -> None:
    """Serve pydicom's module paths with dicomcore's objects, in this process, from now on.

    Call it before anything imports pydicom. ``import pydicom``, ``from pydicom.uid import …`` and so on then give
    dicomcore's classes and functions under pydicom's names, with pydicom's habits: `dcmread` gives a `FileDataset`, a
    data set without file meta information has no attribute `file_meta`, and more (docs/from-pydicom.md). Modules that
    dicomcore has no counterpart for are pydicom's own, if it is installed, over dicomcore's classes.

    A name that neither has raises ImportError or AttributeError. With `report`, what was asked for and is missing is
    listed on standard error when the process ends.

    Calling it twice does no harm; `uninstall` undoes it for imports to come. Raises RuntimeError if pydicom is already
    imported: its classes would mix with ours.
    """
    if any(isinstance(finder, Finder) for finder in sys.meta_path):
        return
    if "pydicom" in sys.modules:
        raise RuntimeError("pydicom is imported already: call install() before anything that imports it")
    sys.meta_path.insert(0, Finder())
    import_module(f"{NAMES}.manner").adopt()
    if report:
        atexit.register(wanted.report)


def uninstall() -> None:
    """Undo `install`: later imports of pydicom give pydicom. Objects and modules in use stay as they are."""
    finders = [finder for finder in sys.meta_path if isinstance(finder, Finder)]
    if not finders:
        return
    for finder in finders:
        sys.meta_path.remove(finder)
    for name in [name for name in sys.modules if name == "pydicom" or name.startswith("pydicom.")]:
        del sys.modules[name]
    import_module(f"{NAMES}.manner").drop()
    atexit.unregister(wanted.report)
    wanted.forget()


class Finder(MetaPathFinder, Loader):
    """Finds pydicom's modules among our pages, then in an installed pydicom."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of pydicom; None for all others."""
        first, _, rest = fullname.partition(".")
        if first != "pydicom":
            return None
        if _is_page(rest):
            return ModuleSpec(fullname, self, is_package=True)
        spec = _own_spec(fullname)
        if spec is None:
            wanted.note(fullname)
            raise ModuleNotFoundError(wanted.sentence(fullname), name=fullname)
        wanted.borrow(fullname)
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave the making to `exec_module`."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Put the page in the module's place: both names give one module."""
        page = import_module(NAMES + module.__name__.removeprefix("pydicom"))
        vars(page).setdefault("__getattr__", wanted.missing(module.__name__, _exists))
        sys.modules[module.__name__] = page


def _exists(fullname: str) -> bool:
    return _is_page(fullname.removeprefix("pydicom").lstrip(".")) or _own_spec(fullname) is not None


def _is_page(rest: str) -> bool:
    if not rest:
        return True
    try:
        return find_spec(f"{NAMES}.{rest}") is not None
    except ModuleNotFoundError:
        return False


def _own_spec(fullname: str) -> ModuleSpec | None:
    """The spec of a module in the installed pydicom, which is looked up folder by folder: nothing of it is imported."""
    spec = PathFinder.find_spec("pydicom")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    *parents, _ = fullname.split(".")[1:]
    return PathFinder.find_spec(fullname, [os.path.join(folder, *parents) for folder in folders]) if folders else None
