"""What a program asked pydicom for and did not get, and what is pydicom's own code."""

from __future__ import annotations

import sys
from opcode import opmap
from types import FrameType

__all__ = ["borrow", "forget", "note", "refusal", "report", "sentence"]

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


def borrow(name: str) -> None:
    """Note a module or a name that is pydicom's own."""
    _borrowed[name] = None


def forget() -> None:
    """Forget all notes."""
    _missing.clear()
    _borrowed.clear()


def refusal(name: str, frame: FrameType) -> Exception:
    """Note a name that is not there; the error is an ImportError in ``from module import name``."""
    note(name)
    if frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == IMPORT_FROM:
        return ImportError(sentence(name), name=name.rpartition(".")[0])
    return AttributeError(sentence(name), name=name.rpartition(".")[2])


def report() -> None:
    """Print to standard error what is not there, and then what was pydicom's own code."""
    if not _missing:
        return
    lines = ["dicomcore in pydicom's place: asked for and not there"]
    for name, (count, place) in sorted(_missing.items(), key=lambda entry: (-entry[1][0], entry[0])):
        lines.append(f"  {name}  {count} time{'s' if count > 1 else ''}, first at {place}")
    if _borrowed:
        lines.append(f"pydicom's own code served {', '.join(sorted(_borrowed))}")
    print(*lines, f"see {PAGE}", sep="\n", file=sys.stderr)


def _caller() -> str:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] not in ("dicomcore", "importlib", "pydicom"):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "an unknown place"
