"""Command sets: the elements of group 0000 in front of a DIMSE message (PS3.7 6.3.1, 9.3)."""

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
    """Decode a command set: elements of group 0000 in implicit VR little endian, whatever was negotiated.

    Command Group Length is compared with what is there; a wrong one, and elements of other groups, are in ``issues``.
    Raises LimitError beyond `limits`, and for the first deviation when they are strict.
    """
    limits = DEFAULT_LIMITS if limits is None else limits
    given = data if isinstance(data, bytes) else memoryview(data).cast("B")
    made = make_dataset(Dataset, open_group(given, 0, str(ImplicitVRLittleEndian), limits=limits), DATA_SET)
    if limits.strict:
        raise_first(made)
    return made


def encode_command(ds: Dataset) -> bytes:
    """Encode a command set, in ascending order behind its Command Group Length, which is counted.

    Raises EncodeError for an element of another group, and for a value that can't be encoded.
    """
    made = ds.copy()
    made.add_new(COMMAND_GROUP_LENGTH, "UL", 0)  # what is written is counted
    last = made.keys()[-1]
    if last.group:
        raise EncodeError(f"{last} can't stand in a command set, which is group 0000 alone (PS3.7 6.3.1)", tag=last)
    out = Output()
    put_elements(made, out, encoding_of(ImplicitVRLittleEndian), repair=True)
    return out.whole()
