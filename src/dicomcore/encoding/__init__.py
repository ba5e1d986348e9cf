"""Encode and decode bare data sets (PS3.5), without a file around them, and the command sets of DIMSE (PS3.7)."""

from dicomcore.later import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dicomcore.encoding.commands import decode_command, encode_command
    from dicomcore.encoding.reading import decode
    from dicomcore.encoding.writing import encode, encode_buffers, encode_into

__all__ = ["decode", "decode_command", "encode", "encode_buffers", "encode_command", "encode_into"]

HOMES = {
    ".commands": ("decode_command", "encode_command"),
    ".reading": ("decode",),
    ".writing": ("encode", "encode_buffers", "encode_into"),
}

# Who reads a file needs no encoder.
__getattr__, __dir__ = later(__name__, HOMES)
