"""What a program asked pydicom for and did not get, and which modules are pydicom's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from opcode import opmap
from types import FrameType
from typing import Any

__all__ = ["borrow", "forget", "missing", "note", "report", "sentence"]

PAGE = "docs/from-pydicom.md"
IMPORT_FROM = opmap["IMPORT_FROM"]

_missing: dict[str, tuple[int, str]] = {}
_borrowed: dict[str, None] = {}


def sentence(name: str) -> str:
    """The message for a name that is not there."""
    return f"{name} is not there with dicomcore in pydicom's place: see {PAGE}"


def note(name: str) -> None:
    """Note a name that was asked for and is not there, with the place of the first caller."""
    count, place = _missing.get(name, (0, ""))
    _missing[name] = count + 1, place or _caller()


def borrow(module: str) -> None:
    """Note a module that is pydicom's own."""
    _borrowed[module] = None


def forget() -> None:
    """Forget all notes."""
    _missing.clear()
    _borrowed.clear()


def missing(module: str, exists: Callable[[str], bool] = lambda full: False) -> Callable[[str], Any]:
    """A module's `__getattr__`: it notes the name, and raises ImportError in an import and else AttributeError.

    The name of a submodule that `exists` gives the submodule.
    """

    def __getattr__(name: str) -> Any:
        full = f"{module}.{name}"
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if exists(full):  # in pydicom every module is an attribute of its package
            return import_module(full)
        note(full)
        frame = sys._getframe(1)
        if _imports(frame):
            raise ImportError(sentence(full), name=module)
        raise AttributeError(sentence(full), name=name)

    return __getattr__


def report() -> None:
    """Print to standard error what is not there, and then which modules were pydicom's own."""
    if not _missing:
        return
    lines = ["dicomcore in pydicom's place: asked for and not there"]
    for name, (count, place) in sorted(_missing.items(), key=lambda entry: (-entry[1][0], entry[0])):
        lines.append(f"  {name}  {count} time{'s' if count > 1 else ''}, first at {place}")
    if _borrowed:
        lines.append(f"pydicom's own code served {', '.join(sorted(_borrowed))}")
    print(*lines, f"see {PAGE}", sep="\n", file=sys.stderr)


def _imports(frame: FrameType) -> bool:
    """Whether a frame is at ``from module import name``, which passes on every error but AttributeError."""
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == IMPORT_FROM


def _caller() -> str:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] not in ("dicomcore", "importlib", "pydicom"):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "an unknown place"
