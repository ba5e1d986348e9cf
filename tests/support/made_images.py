"""Images made for a test: the bytes of a file around samples or codestreams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.support.dicom_bytes import element, item, part10

EXPLICIT = "1.2.840.10008.1.2.1"
NUMBERS = {
    "SamplesPerPixel": 0x00280002,
    "PlanarConfiguration": 0x00280006,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
}


def made(
    array: np.ndarray[Any, Any], pixels: bytes | Sequence[bytes] | None = None, syntax: str = EXPLICIT, **said: Any
) -> bytes:
    """A file of `array`: (rows, columns) or (rows, columns, 3), with an axis of frames before them where NumberOfFrames
    is given; `said` overrides attributes that follow from the array. `pixels` are its bytes, or the fragments of its
    codestreams."""
    if pixels is None:
        pixels = array.astype(array.dtype.newbyteorder("<")).tobytes()
    frames = said.get("NumberOfFrames")
    rows, columns, *samples = array.shape if frames is None else array.shape[1:]
    bits = 8 * array.itemsize
    attributes = {
        "SamplesPerPixel": 3 if samples else 1,
        "PhotometricInterpretation": "RGB" if samples else "MONOCHROME2",
        "PlanarConfiguration": 0,
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": bits,
        "BitsStored": bits,
        "PixelRepresentation": int(array.dtype.kind == "i"),
        **said,
    }
    attributes.setdefault("HighBit", attributes["BitsStored"] - 1)
    found = {NUMBERS[name]: ("US", attributes[name].to_bytes(2, "little")) for name in NUMBERS}
    found[0x00080016] = "UI", b"1.2.840.10008.5.1.4.1.1.7\0"
    found[0x00080018] = "UI", b"1.2.3.4\0"
    interpretation = attributes["PhotometricInterpretation"].encode()
    found[0x00280004] = "CS", interpretation + b" " * (len(interpretation) % 2)
    if frames is not None:
        found[0x00280008] = "IS", f"{frames:<{len(str(frames)) + len(str(frames)) % 2}}".encode()
    body = b"".join(element(tag, vr, value) for tag, (vr, value) in sorted(found.items()))
    if isinstance(pixels, bytes):
        data = element(0x7FE00010, "OW", pixels + b"\0" * (len(pixels) % 2))
    else:
        data = element(0x7FE00010, "OB", b"", length=0xFFFFFFFF) + item()
        data += b"".join(item(one + b"\0" * (len(one) % 2)) for one in pixels) + b"\xfe\xff\xdd\xe0\0\0\0\0"
    return part10(body + data, syntax)
