"""Encode and decode bare data sets (PS3.5), without a file around them, and the command sets of DIMSE (PS3.7)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomcore.encoding.commands import decode_command, encode_command
    from dicomcore.encoding.reading import decode
    from dicomcore.encoding.writing import encode, encode_buffers, encode_into

__all__ = ["decode", "decode_command", "encode", "encode_buffers", "encode_command", "encode_into"]

LATER = {
    "decode": "reading",
    "decode_command": "commands",
    "encode": "writing",
    "encode_buffers": "writing",
    "encode_command": "commands",
    "encode_into": "writing",
}
"""The module of each name, loaded when it is asked for: who reads a file needs no encoder."""


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{LATER[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
