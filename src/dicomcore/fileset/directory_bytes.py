"""The bytes of a DICOMDIR: every record encoded first, then the offsets that link them (PS3.3 F.2, F.3)."""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from dicomcore._native.write.output import Output
from dicomcore.dataset import Dataset
from dicomcore.encoding.composing import put_elements
from dicomcore.encoding.syntax import Encoding
from dicomcore.errors import EncodeError
from dicomcore.fileset.records import Record, active
from dicomcore.part10.meta import put_head
from dicomcore.uids import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

__all__ = ["Header", "directory_bytes"]

LARGEST = 0xFFFFFFFF  # what an offset can say
# Explicit VR little endian; icons of records may be encapsulated.
ENCODING = Encoding(implicit=False, big=False, encapsulated=True, deflated=False)

# Elements whose place and size are known before anything is encoded (PS3.3 F.3.2.2), explicit VR little endian.
ROOT_LINKS = struct.Struct("<HH2sHI HH2sHI HH2sHH HH2sHI".replace(" ", ""))
ITEM = struct.Struct("<HHI")
LINKS = struct.Struct("<HH2sHI HH2sHH HH2sHI".replace(" ", ""))
RECORD_TYPE = 0x00041430
# How nearly all records begin, behind which their other elements are.
LINKED = re.compile(
    rb"\x04\0\0\x14UL\x04\0....\x04\0\x10\x14US\x02\0..\x04\0\x20\x14UL\x04\0....\x04\0\x30\x14", re.DOTALL
)


class Header(NamedTuple):
    """What a DICOMDIR says besides its records: the file-set's UID, and the other elements of the data set."""

    uid: str
    elements: Dataset


class _Laid(NamedTuple):
    """One record: where its item begins and where its elements stand in the encoded bytes."""

    record: Record
    start: int
    stop: int


def directory_bytes(header: Header, roots: list[Record]) -> bytes:
    """A whole DICOMDIR, explicit VR little endian with defined lengths (PS3.10 8.6).

    Records that are not in use are left out with what is below them. Raises EncodeError for a key that can't be
    encoded, and where an offset would pass 4 GiB.
    """
    front, behind = _head(header)
    body = Output()
    laid: list[_Laid] = []
    for record in active(roots):
        laid.append(_encode(record, body))
    encoded = memoryview(body.whole())
    offsets: dict[int, int] = {}
    first = at = len(front) + ROOT_LINKS.size
    for one in laid:
        offsets[id(one.record)] = at
        at += ITEM.size + LINKS.size + one.stop - one.start
    total = at - first
    if at > LARGEST:
        raise EncodeError(f"a DICOMDIR of {at} bytes: offsets count 4 GiB at most")
    parts: list[bytes | memoryview] = [front, _root_links(roots, offsets, total)]
    following = _following(roots, offsets)
    for one in laid:
        lower = next((offsets[id(child)] for child in one.record.children if child.in_use), 0)
        length = LINKS.size + one.stop - one.start
        parts.append(ITEM.pack(0xFFFE, 0xE000, length))
        parts.append(_links(following[id(one.record)], lower))
        parts.append(encoded[one.start : one.stop])
    parts.append(behind)
    return b"".join(parts)


def _encode(record: Record, body: Output) -> _Laid:
    """Put the record's elements at the end of `body`, and say where those begin that don't link it."""
    start = len(body)
    _put(record.keys, body)
    if record.offset is not None:  # it was read, links and all
        if len(body) - start > LINKS.size and LINKED.match(body, start):
            start += LINKS.size
        else:
            start = len(body)
            _put(record.keys[RECORD_TYPE:], body)
    return _Laid(record, start, len(body))


def _put(elements: Dataset, out: Output) -> None:
    put_elements(elements, out, ENCODING, lengths="defined")


def _head(header: Header) -> tuple[bytes, bytes]:
    """The bytes up to the links of the root entity, and those behind the Directory Record Sequence."""
    whole = Dataset()
    whole.file_meta = Dataset()
    whole.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    whole.file_meta.MediaStorageSOPInstanceUID = header.uid
    front, behind = Output(), Output()
    put_head(whole, front, ExplicitVRLittleEndian, True)
    _put(header.elements[:0x00041200], front)
    _put(header.elements[0x00041221:], behind)
    return front.whole(), behind.whole()


def _root_links(roots: list[Record], offsets: dict[int, int], total: int) -> bytes:
    found = [offsets[id(record)] for record in roots if record.in_use] or [0]
    return ROOT_LINKS.pack(
        *(0x0004, 0x1200, b"UL", 4, found[0]),
        *(0x0004, 0x1202, b"UL", 4, found[-1]),
        *(0x0004, 0x1212, b"US", 2, 0),
        *(0x0004, 0x1220, b"SQ", 0, total),
    )


def _links(following: int, lower: int) -> bytes:
    return LINKS.pack(
        *(0x0004, 0x1400, b"UL", 4, following),
        *(0x0004, 0x1410, b"US", 2, 0xFFFF),
        *(0x0004, 0x1420, b"UL", 4, lower),
    )


def _following(roots: list[Record], offsets: dict[int, int]) -> dict[int, int]:
    """Where the record behind each one in its entity begins; 0 for the last."""
    found: dict[int, int] = {}
    pending = [roots]
    while pending:
        behind = 0
        for record in reversed(pending.pop()):
            if record.in_use:
                found[id(record)] = behind
                behind = offsets[id(record)]
                pending.append(record.children)
    return found
