"""Command sets: the elements of group 0000 that begin a DIMSE message (PS3.7 6.3.1, 9.3)."""

from __future__ import annotations

from dicomcore._native.scan.opener import open_group
from dicomcore._native.views.dataset import make_dataset
from dicomcore._native.write.output import Output
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import DATA_SET
from dicomcore.encoding.composing import put_elements
from dicomcore.encoding.reading import raise_first
from dicomcore.encoding.syntax import encoding_of
from dicomcore.errors import EncodeError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.uids import ImplicitVRLittleEndian

__all__ = ["decode_command", "encode_command"]

COMMAND_GROUP_LENGTH = 0x00000000


def decode_command(data: bytes | bytearray | memoryview, *, limits: Limits | None = None) -> Dataset:
    """Decode a command set: elements of group 0000, in implicit VR little endian in every association.

    A wrong Command Group Length and elements of other groups are reported in ``issues``. Raises LimitError beyond
    `limits`; strict limits raise ParseError or TruncatedError for the first deviation.
    """
    limits = DEFAULT_LIMITS if limits is None else limits
    octets = data if isinstance(data, bytes) else memoryview(data).cast("B")
    command = make_dataset(Dataset, open_group(octets, 0, str(ImplicitVRLittleEndian), limits=limits), DATA_SET)
    if limits.strict:
        raise_first(command)
    return command


def encode_command(ds: Dataset) -> bytes:
    """Encode a command set, in ascending order, with a counted Command Group Length.

    Raises EncodeError for an element of another group, and for a value that cannot be encoded.
    """
    command = ds.copy()
    command.add_new(COMMAND_GROUP_LENGTH, "UL", 0)  # the writer counts it
    last = command.keys()[-1]
    if last.group:
        raise EncodeError(f"{last} can't stand in a command set, which is group 0000 alone (PS3.7 6.3.1)", tag=last)
    out = Output()
    put_elements(command, out, encoding_of(ImplicitVRLittleEndian), repair=True)
    return out.whole()
