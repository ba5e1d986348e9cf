"""install: dicomcore in pydicom's place, for one process.

From then on ``import pydicom`` and imports of its modules give the pages of `dicomcore.interop.pydicom.names`. Modules
without a page there, and names that a page lacks, are pydicom's own, if it is installed: its code works on our classes.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, module_from_spec
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from dicomcore.interop.pydicom import wanted

if TYPE_CHECKING:
    from importlib.abc import Loader

__all__ = ["install", "missing", "own_module", "uninstall"]

NAMES = "dicomcore.interop.pydicom.names"
OURS_ALONE = frozenset(
    (
        "pydicom",
        "pydicom.config",
        "pydicom.dataelem",
        "pydicom.dataset",
        "pydicom.multival",
        "pydicom.sequence",
    )
)
"""Pages whose missing names are not taken from pydicom's modules: these define the classes that ours replace."""

_lock = RLock()
_own_modules: dict[str, ModuleType] = {}


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
    _own_modules.clear()


class Finder:
    """Finds pydicom's modules among our pages, then in an installed pydicom.

    It is no subclass of `importlib.abc`, whose import takes longer than all of `install`.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of pydicom; None for all others."""
        first, _, rest = fullname.partition(".")
        if first != "pydicom":
            return None
        if _is_page(rest):
            return ModuleSpec(fullname, cast("Loader", self), is_package=True)
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
        vars(page).setdefault("__getattr__", missing(module.__name__))
        sys.modules[module.__name__] = page


def missing(module: str, made: Mapping[str, Callable[[], Any]] | None = None) -> Callable[[str], Any]:
    """The `__getattr__` of a page: it gives what pydicom has there, or raises ImportError or AttributeError.

    `made` has the names that the page itself makes when they are asked for.
    """

    def __getattr__(name: str) -> Any:
        if made is not None and name in made:
            return made[name]()
        full = f"{module}.{name}"
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if _exists(full):  # in pydicom every module is an attribute of its package
            return import_module(full)
        own = None if module in OURS_ALONE else own_module(module)
        if own is not None and name in vars(own):
            wanted.borrow(full)
            return vars(own)[name]
        raise wanted.refusal(full, sys._getframe(1))

    return __getattr__


def _exists(fullname: str) -> bool:
    return _is_page(fullname.removeprefix("pydicom").lstrip(".")) or _own_spec(fullname) is not None


def own_module(fullname: str) -> ModuleType | None:
    """pydicom's own module beside a page: what it imports from pydicom comes from the pages, as far as they have it."""
    with _lock:
        if fullname not in _own_modules:
            spec = _own_spec(fullname)
            if spec is None or spec.loader is None:
                return None
            _own_modules[fullname] = module = module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del _own_modules[fullname]
                raise
        return _own_modules[fullname]


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
