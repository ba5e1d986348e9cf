"""Values that are streams still to be read, which pydicom 3 allows for OB, OD, OF, OL, OV and OW."""

from __future__ import annotations

import io
import mmap
from typing import Any

from dicomcore.dataset.state import touched
from dicomcore.interop.pydicom.names.dataelem import DataElement
from dicomcore.interop.pydicom.names.streams import check_stream, is_buffered

READ_WHOLE = 1 << 16
"""A file of fewer bytes is read; mapping it would not save anything."""


def with_bytes(data_set: Any) -> Any:
    """The data set, or a copy in which the streams are read from where they stand; the streams do not move.

    A file is mapped into memory, not read. Raises ValueError for a stream that can't be read.
    """
    return _copy_of(data_set) if _has_buffers(data_set) else data_set


def _has_buffers(data_set: Any) -> bool:
    waiting = [data_set]
    while waiting:
        for element in touched(waiting.pop()).values():
            if element is None:
                continue
            if element.VR == "SQ":
                waiting.extend(element.value)
            elif is_buffered(element):
                return True
    return False


def _copy_of(data_set: Any) -> Any:
    whole = data_set.copy()
    for tag, element in touched(data_set).items():
        if element is None:
            continue
        if element.VR == "SQ":
            whole[tag] = DataElement(tag, "SQ", [with_bytes(item) for item in element.value])
        elif is_buffered(element):
            whole[tag] = DataElement(tag, element.VR, _content(element), already_converted=True)
    return whole


def _content(element: Any) -> Any:
    """What a stream holds from its position on."""
    stream = element.value
    check_stream(stream, element.tag, element.name)
    start = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    stream.seek(start)
    number = _file_number(stream)
    if number is not None and size - start >= READ_WHOLE:
        return memoryview(mmap.mmap(number, size, access=mmap.ACCESS_READ))[start:]
    data = stream.read()
    stream.seek(start)
    return data


def _file_number(stream: Any) -> int | None:
    try:
        stream.flush()
        return int(stream.fileno())
    except (OSError, AttributeError, ValueError):
        return None
