"""pydicom.encaps: fragments and frames of encapsulated pixel data (PS3.5 A.4).

These functions take the bytes as they are. `Dataset.frames` finds frames in damaged pixel data, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BufferedIOBase, BytesIO
from itertools import accumulate
from struct import Struct, pack, unpack
from typing import Any

from dicomcore.interop.pydicom.names.encapsulated_buffer import EncapsulatedBuffer, _BufferedItem
from dicomcore.interop.pydicom.names.filebase import DicomBytesIO, DicomIO, ReadableBuffer
from dicomcore.interop.pydicom.names.former import former_names
from dicomcore.interop.pydicom.names.misc import warn_and_log
from dicomcore.tags import ITEM, ITEM_BYTES, SEQUENCE_DELIMITER, UNDEFINED_LENGTH, Tag

__all__ = [
    "EncapsulatedBuffer",
    "_BufferedItem",
    "encapsulate",
    "encapsulate_buffer",
    "encapsulate_extended",
    "encapsulate_extended_buffer",
    "fragment_frame",
    "generate_fragmented_frames",
    "generate_fragments",
    "generate_frames",
    "get_frame",
    "itemize_fragment",
    "itemize_frame",
    "parse_basic_offsets",
    "parse_fragments",
]

ITEM_HEADER = 8
END_MARKER, TAIL = b"\xff\xd9", 10
"""EOI and EOC end a JPEG, JPEG-LS or JPEG 2000 codestream; padding may follow in its last bytes."""
LAST_OFFSET = 2**32 - 1

Encapsulated = bytes | bytearray | ReadableBuffer
Extended = tuple[list[int], list[int]] | tuple[bytes, bytes] | None


# -- reading


def parse_basic_offsets(buffer: Encapsulated, *, endianness: str = "<") -> list[int]:
    """The entries of the Basic Offset Table at which `buffer` stands; a stream stands after it then.

    Raises ValueError where there is no item, or one whose length is no multiple of 4.
    """
    stream = _opened(buffer)
    tag = _tag(stream.read(4), endianness)
    if tag != ITEM:
        raise ValueError(
            f"Found unexpected tag {Tag(tag)} instead of (FFFE,E000) when parsing the Basic Offset Table item"
        )
    (length,) = unpack(f"{endianness}L", stream.read(4))
    if length % 4:
        raise ValueError("The length of the Basic Offset Table item is not a multiple of 4")
    return list(unpack(f"{endianness}{length // 4}L", stream.read(length)))


def parse_fragments(buffer: Encapsulated, *, endianness: str = "<") -> tuple[int, list[int]]:
    """The number of fragments from the first one's item on, and the offsets of their items; a stream stays there."""
    stream = _opened(buffer)
    start, offsets = stream.tell(), []
    for length in _item_lengths(stream, endianness):
        offsets.append(stream.tell() - ITEM_HEADER)
        stream.seek(length, 1)
    stream.seek(start, 0)
    return len(offsets), offsets


def generate_fragments(buffer: Encapsulated, *, endianness: str = "<") -> Iterator[bytes]:
    """Yield the fragments from the first one's item on, up to the sequence delimiter or the end.

    Raises ValueError for another tag, and for an item of undefined length or without one.
    """
    stream = _opened(buffer)
    for length in _item_lengths(stream, endianness):
        yield stream.read(length)


def generate_fragmented_frames(
    buffer: Encapsulated,
    *,
    number_of_frames: int | None = None,
    extended_offsets: Extended = None,
    endianness: str = "<",
) -> Iterator[tuple[bytes, ...]]:
    """Yield each frame as a tuple of its fragments.

    Parameters
    ----------
    buffer : bytes, bytearray or stream
        Encapsulated pixel data, from its Basic Offset Table on.
    number_of_frames : int, optional
        Number of Frames, which is needed for several fragments without any offset table. Their frames then end where
        codestreams have their end marker, which may make more frames.
    extended_offsets : pair of lists or of bytes, optional
        Extended Offset Table and Extended Offset Table Lengths. They come first, then the Basic Offset Table.
    endianness : str
        ``"<"`` for little endian, ``">"`` for big endian.

    Raises
    ------
    ValueError
        The fragments cannot be told apart, or there are fewer than frames.
    """
    stream = _opened(buffer)
    basic = parse_basic_offsets(stream, endianness=endianness)
    if extended_offsets:
        first = stream.tell()
        for offset, length in zip(*_extended(extended_offsets, endianness), strict=False):
            stream.seek(first + offset + ITEM_HEADER, 0)
            yield (stream.read(length),)
    elif basic:
        yield from _by_offsets(generate_fragments(stream, endianness=endianness), basic)
    else:
        count, _ = parse_fragments(stream, endianness=endianness)
        yield from _by_count(generate_fragments(stream, endianness=endianness), count, number_of_frames)


def generate_frames(
    buffer: Encapsulated,
    *,
    number_of_frames: int | None = None,
    extended_offsets: Extended = None,
    endianness: str = "<",
) -> Iterator[bytes]:
    """Yield each frame, its fragments joined; see `generate_fragmented_frames`."""
    for fragments in generate_fragmented_frames(
        buffer, number_of_frames=number_of_frames, extended_offsets=extended_offsets, endianness=endianness
    ):
        yield b"".join(fragments)


def get_frame(
    buffer: Encapsulated,
    index: int,
    *,
    extended_offsets: Extended = None,
    number_of_frames: int | None = None,
    endianness: str = "<",
) -> bytes:
    """One frame, from 0, its fragments joined; a stream stays where it was.

    The parameters are those of `generate_fragmented_frames`. Raises ValueError where there is no such frame.
    """
    stream = _opened(buffer)
    start = stream.tell()
    try:
        basic = parse_basic_offsets(stream, endianness=endianness)
        if extended_offsets:
            offsets, lengths = _extended(extended_offsets, endianness)
            _check_entries(offsets, index, "Extended")
            stream.seek(offsets[index] + ITEM_HEADER, 1)
            return stream.read(lengths[index])
        if basic:
            return _frame_by_offsets(stream, index, basic, endianness)
        return _frame_by_count(stream, index, number_of_frames, endianness)
    finally:
        stream.seek(start, 0)


def _opened(buffer: Any) -> Any:
    return BytesIO(buffer) if isinstance(buffer, (bytes, bytearray)) else buffer


def _tag(head: bytes, endianness: str) -> int:
    group, element = unpack(f"{endianness}HH", head)
    return int(group << 16 | element)


def _item_lengths(stream: Any, endianness: str) -> Iterator[int]:
    """Yield the length of each item; the stream stands at its value, and has to be set behind it."""
    read = stream.read
    item, number = pack(f"{endianness}HH", ITEM.group, ITEM.element), Struct(f"{endianness}L").unpack
    while len(head := read(4)) == 4:
        if head != item:
            tag = _tag(head, endianness)
            if tag == SEQUENCE_DELIMITER:
                return
            raise ValueError(
                f"Unexpected tag '{Tag(tag)}' at offset {stream.tell() - 4} when parsing the encapsulated pixel data "
                "fragment items"
            )
        raw = read(4)
        if len(raw) < 4:
            raise ValueError(
                f"Unable to determine the length of the item at offset {stream.tell() - len(raw) - 4} as the end of "
                "the data has been reached - the encapsulated pixel data may be invalid"
            )
        (length,) = number(raw)
        if length == UNDEFINED_LENGTH:
            raise ValueError(
                f"Undefined item length at offset {stream.tell() - 4} when parsing the encapsulated pixel data "
                "fragments"
            )
        yield length


def _extended(tables: Any, endianness: str) -> tuple[list[int], list[int]]:
    """The offsets and lengths of an Extended Offset Table."""
    offsets, lengths = (
        list(unpack(f"{endianness}{len(table) // 8}Q", table)) if isinstance(table, bytes) else table
        for table in tables
    )
    return offsets, lengths


def _by_offsets(fragments: Iterable[bytes], offsets: list[int]) -> Iterator[tuple[bytes, ...]]:
    """Frames that begin at `offsets`, from the first fragment's item."""
    frame: list[bytes] = []
    place, number = 0, 1
    for fragment in fragments:
        if number < len(offsets) and place >= offsets[number]:
            yield tuple(frame)
            frame, number = [], number + 1
        frame.append(fragment)
        place += len(fragment) + ITEM_HEADER
    yield tuple(frame)


def _by_count(fragments: Iterator[bytes], count: int, frames: int | None) -> Iterator[tuple[bytes, ...]]:
    """Frames of `count` fragments without an offset table."""
    if count == 1:
        yield (next(fragments),)
        return
    if not frames:
        raise ValueError(
            "Unable to determine the frame boundaries for the encapsulated pixel data as there is no Basic or Extended "
            "Offset Table and the number of frames has not been supplied"
        )
    if count == frames:
        yield from ((fragment,) for fragment in fragments)
    elif frames == 1:
        yield tuple(fragments)
    elif count > frames:
        yield from _by_markers_noting(fragments, frames)
    else:
        raise ValueError(
            "Unable to generate frames from the encapsulated pixel data as there are fewer fragments than frames; the "
            "dataset may be corrupt or the number of frames may be incorrect"
        )


def _by_markers(fragments: Iterable[bytes]) -> Iterator[tuple[tuple[bytes, ...], bool]]:
    """Frames whose last fragment has an end marker, and at last the rest that has none: (fragments, ended)."""
    frame: list[bytes] = []
    for fragment in fragments:
        frame.append(fragment)
        if END_MARKER in fragment[-TAIL:]:
            yield tuple(frame), True
            frame = []
    if frame:
        yield tuple(frame), False


def _by_markers_noting(fragments: Iterable[bytes], frames: int) -> Iterator[tuple[bytes, ...]]:
    """Frames by end markers, with a warning for a rest and for a number that is too small."""
    end = "The end of the encapsulated pixel data has been reached but"
    number, ended = 0, True
    for frame, ended in _by_markers(fragments):
        if not ended and number >= frames:
            warn_and_log(f"{end} no JPEG EOI/EOC marker was found, the final frame may be be invalid")
        elif not ended:
            warn_and_log(
                f"{end} fewer frames than expected have been found. Please confirm that the generated frame data is "
                "correct"
            )
        yield frame
        number += 1
    if ended and number < frames:
        warn_and_log(f"{end} fewer frames than expected have been found")


def _check_entries(offsets: list[int], index: int, table: str) -> None:
    if index >= len(offsets):
        raise ValueError(f"There aren't enough offsets in the {table} Offset Table for {index + 1} frames")


def _frame_by_offsets(stream: Any, index: int, offsets: list[int], endianness: str) -> bytes:
    """A frame by the Basic Offset Table, after which the stream stands."""
    _check_entries(offsets, index, "Basic")
    stream.seek(offsets[index], 1)
    last = index == len(offsets) - 1
    items = stream if last else stream.read(offsets[index + 1] - offsets[index])
    return b"".join(generate_fragments(items, endianness=endianness))


def _frame_by_count(stream: Any, index: int, frames: int | None, endianness: str) -> bytes:
    """A frame without an offset table; the stream stands at the first fragment."""
    count, offsets = parse_fragments(stream, endianness=endianness)
    fragments = generate_fragments(stream, endianness=endianness)
    if count == 1:
        if index:
            raise ValueError("Found 1 frame fragment in the encapsulated pixel data, 'index' must be 0")
        return next(fragments)
    if not frames:
        raise ValueError(
            "Unable to determine the frame boundaries for the encapsulated pixel data as there is no basic or extended "
            "offset table data and the number of frames has not been supplied"
        )
    if count == frames:
        if index >= count:
            raise ValueError(
                f"Found {count} frame fragments in the encapsulated pixel data, an 'index' of {index} is invalid"
            )
        stream.seek(offsets[index], 0)
        return next(fragments)
    if frames == 1:
        if index:
            raise ValueError("The 'index' must be 0 if the number of frames is 1")
        return b"".join(fragments)
    for number, (frame, ended) in enumerate(_by_markers(fragments)):
        if number == index:
            if not ended:
                warn_and_log(
                    "The end of the encapsulated pixel data has been reached but no JPEG EOI/EOC marker was found, the "
                    "returned frame data may be invalid"
                )
            return b"".join(frame)
    raise ValueError(f"There is insufficient pixel data to contain {index + 1} frames")


# -- writing


def fragment_frame(frame: bytes, nr_fragments: int = 1) -> Iterator[bytes]:
    """Yield a frame in fragments of even length, the last one padded by a zero.

    Raises ValueError for fragments of less than 2 bytes.
    """
    size = len(frame)
    if nr_fragments > (size + 1) / 2:
        raise ValueError("Too many fragments requested (the minimum fragment size is 2 bytes)")
    length = size // nr_fragments
    length += length % 2
    last = length * (nr_fragments - 1)
    for offset in range(0, last, length):
        yield frame[offset : offset + length]
    yield frame[last:] + b"\0" if (size - last) % 2 else frame[last:]


def itemize_fragment(fragment: bytes) -> bytes:
    """An item with this value."""
    return b"".join((ITEM_BYTES, pack("<L", len(fragment)), fragment))


def itemize_frame(frame: bytes, nr_fragments: int = 1) -> Iterator[bytes]:
    """Yield the items of a frame's fragments."""
    return map(itemize_fragment, fragment_frame(frame, nr_fragments))


def encapsulate(frames: list[bytes], fragments_per_frame: int = 1, has_bot: bool = True) -> bytes:
    """Encapsulate frames' codestreams, without a sequence delimiter.

    Parameters
    ----------
    frames : list of bytes
        The codestreams.
    fragments_per_frame : int
        The number of fragments of each frame.
    has_bot : bool
        Whether the Basic Offset Table has offsets.

    Raises
    ------
    ValueError
        The Basic Offset Table cannot hold the offsets.
    """
    if has_bot:
        total = (len(frames) - 1) * ITEM_HEADER + sum(len(frame) for frame in frames[:-1])
        if total > LAST_OFFSET:
            raise ValueError(
                f"The total length of the encapsulated frame data ({total} bytes) will be greater than the maximum "
                f"allowed by the Basic Offset Table ({LAST_OFFSET} bytes), it's recommended that you use the Extended "
                "Offset Table instead (see the 'encapsulate_extended' function for more information)"
            )
    items = [b"".join(itemize_frame(frame, fragments_per_frame)) for frame in frames]
    offsets = [0, *accumulate(map(len, items))][: len(items)] if has_bot else []
    return b"".join((ITEM_BYTES, pack(f"<L{len(offsets)}L", 4 * len(offsets), *offsets), *items))


def encapsulate_extended(frames: list[bytes]) -> tuple[bytes, bytes, bytes]:
    """Encapsulate frames' codestreams, a fragment each, as Pixel Data, Extended Offset Table and its lengths."""
    lengths = [len(frame) + len(frame) % 2 for frame in frames]
    offsets = [0, *accumulate(length + ITEM_HEADER for length in lengths)][: len(frames)]
    form = f"<{len(frames)}Q"
    return encapsulate(frames, has_bot=False), pack(form, *offsets), pack(form, *lengths)


def encapsulate_buffer(buffers: list[BufferedIOBase], has_bot: bool = True) -> EncapsulatedBuffer:
    """Encapsulate the codestreams that streams hold; they are read when the result is."""
    return EncapsulatedBuffer(buffers, use_bot=has_bot)


def encapsulate_extended_buffer(buffers: list[BufferedIOBase]) -> tuple[EncapsulatedBuffer, bytes, bytes]:
    """As `encapsulate_extended`, of the codestreams that streams hold."""
    made = EncapsulatedBuffer(buffers)
    return made, made.extended_offsets, made.extended_lengths


# -- names that pydicom 4 will not have


def _little(fp: DicomIO) -> DicomIO:
    if not fp.is_little_endian:
        raise ValueError("'fp.is_little_endian' must be True")
    return fp


def _get_frame_offsets(fp: DicomIO) -> tuple[bool, list[int]]:
    tag = Tag(_little(fp).read_tag())
    if tag != ITEM:
        raise ValueError(f"Unexpected tag '{tag}' when parsing the Basic Offset Table item")
    length = fp.read_UL()
    if length % 4:
        raise ValueError("The length of the Basic Offset Table item is not a multiple of 4")
    return bool(length), [fp.read_UL() for _ in range(length // 4)] or [0]


def _get_nr_fragments(fp: DicomIO) -> int:
    return parse_fragments(_little(fp))[0]


def _generate_pixel_data_fragment(fp: DicomIO) -> Iterator[bytes]:
    yield from generate_fragments(_little(fp))


def _generate_pixel_data(bytestream: bytes, nr_frames: int | None = None) -> Iterator[tuple[bytes, ...]]:
    yield from generate_fragmented_frames(bytestream, number_of_frames=nr_frames)


def _generate_pixel_data_frame(bytestream: bytes, nr_frames: int | None = None) -> Iterator[bytes]:
    yield from generate_frames(bytestream, number_of_frames=nr_frames)


def _read_item(fp: DicomIO) -> bytes | None:
    """The value of the next item; None at the sequence delimiter or at the end."""
    try:
        tag = Tag(fp.read_tag())
    except EOFError:
        return None
    length = fp.read_UL()
    if tag == SEQUENCE_DELIMITER:
        return None
    if length == UNDEFINED_LENGTH:
        raise ValueError(f"Encapsulated data fragment had Undefined Length at data position 0x{fp.tell() - 4:x}")
    return fp.read(length)


def _decode_data_sequence(data: bytes) -> list[bytes]:
    """The values of all items after the first, the Basic Offset Table, up to an empty one."""
    stream = DicomBytesIO(data)
    stream.is_little_endian = True
    _read_item(stream)
    return list(iter(lambda: _read_item(stream) or b"", b""))


def _defragment_data(data: bytes) -> bytes:
    return b"".join(_decode_data_sequence(data))


__getattr__ = former_names(
    "pydicom.encaps",
    {
        name: (value, f"{name} is deprecated and will be removed in v4.0")
        for name, value in {
            "decode_data_sequence": _decode_data_sequence,
            "defragment_data": _defragment_data,
            "generate_pixel_data": _generate_pixel_data,
            "generate_pixel_data_fragment": _generate_pixel_data_fragment,
            "generate_pixel_data_frame": _generate_pixel_data_frame,
            "get_frame_offsets": _get_frame_offsets,
            "get_nr_fragments": _get_nr_fragments,
            "itemise_fragment": itemize_fragment,
            "itemise_frame": itemize_frame,
            "read_item": _read_item,
        }.items()
    },
)
