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

LARGEST = 0xFFFFFFFF  # the largest offset that fits a UL
# Explicit VR little endian; icons of records may be encapsulated.
ENCODING = Encoding(implicit=False, big=False, encapsulated=True, deflated=False)

# Elements whose position and size are known before anything is encoded (PS3.3 F.3.2.2), explicit VR little endian.
ROOT_LINKS = struct.Struct("<HH2sHI HH2sHI HH2sHH HH2sHI".replace(" ", ""))
ITEM = struct.Struct("<HHI")
LINKS = struct.Struct("<HH2sHI HH2sHH HH2sHI".replace(" ", ""))
RECORD_TYPE = 0x00041430
# The linking elements, with which nearly all records begin; their other elements follow.
LINKED = re.compile(
    rb"\x04\0\0\x14UL\x04\0....\x04\0\x10\x14US\x02\0..\x04\0\x20\x14UL\x04\0....\x04\0\x30\x14", re.DOTALL
)


class Header(NamedTuple):
    """A DICOMDIR without its records: the file-set's UID, and the other elements of the data set."""

    uid: str
    elements: Dataset


class _Encoded(NamedTuple):
    """One record, and where its elements begin and end in the encoded bytes, without those that link it."""

    record: Record
    start: int
    stop: int


def directory_bytes(header: Header, roots: list[Record]) -> bytes:
    """Encode a whole DICOMDIR, explicit VR little endian with defined lengths (PS3.10 8.6).

    Records that are not in use are left out, with the records below them. Raises EncodeError for a key that can't be
    encoded, and if an offset would exceed 4 GiB.
    """
    start, rest = _head(header)
    body = Output()
    items: list[_Encoded] = []
    for record in active(roots):
        items.append(_encode(record, body))
    encoded = memoryview(body.whole())
    offsets: dict[int, int] = {}
    first = at = len(start) + ROOT_LINKS.size
    for item in items:
        offsets[id(item.record)] = at
        at += ITEM.size + LINKS.size + item.stop - item.start
    total = at - first
    if at > LARGEST:
        raise EncodeError(f"a DICOMDIR of {at} bytes: offsets reach at most 4 GiB")
    parts: list[bytes | memoryview] = [start, _root_links(roots, offsets, total)]
    following = _following(roots, offsets)
    for item in items:
        lower = next((offsets[id(child)] for child in item.record.children if child.in_use), 0)
        length = LINKS.size + item.stop - item.start
        parts.append(ITEM.pack(0xFFFE, 0xE000, length))
        parts.append(_links(following[id(item.record)], lower))
        parts.append(encoded[item.start : item.stop])
    parts.append(rest)
    return b"".join(parts)


def _encode(record: Record, body: Output) -> _Encoded:
    """Append the record's elements to `body`; return where its elements other than the links are."""
    start = len(body)
    _put(record.keys, body)
    if record.offset is not None:  # the record was read, with its links
        if len(body) - start > LINKS.size and LINKED.match(body, start):
            start += LINKS.size
        else:
            start = len(body)
            _put(record.keys[RECORD_TYPE:], body)
    return _Encoded(record, start, len(body))


def _put(elements: Dataset, out: Output) -> None:
    put_elements(elements, out, ENCODING, lengths="defined")


def _head(header: Header) -> tuple[bytes, bytes]:
    """The bytes before the links of the root entity, and the bytes after the Directory Record Sequence."""
    whole = Dataset()
    whole.file_meta = Dataset()
    whole.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    whole.file_meta.MediaStorageSOPInstanceUID = header.uid
    start, rest = Output(), Output()
    put_head(whole, start, ExplicitVRLittleEndian, True)
    _put(header.elements[:0x00041200], start)
    _put(header.elements[0x00041221:], rest)
    return start.whole(), rest.whole()


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
    """For each record, the offset of the next record in its entity; 0 for the last."""
    following: dict[int, int] = {}
    pending = [roots]
    while pending:
        next_offset = 0
        for record in reversed(pending.pop()):
            if record.in_use:
                following[id(record)] = next_offset
                next_offset = offsets[id(record)]
                pending.append(record.children)
    return following
