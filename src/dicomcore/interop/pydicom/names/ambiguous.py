"""VRs that depend on other elements, settled on request: `pydicom.filewriter.correct_ambiguous_vr`.

A data set of dicomcore settles them by itself when an element is read or written (PS3.5 A, PS3.6). These functions are
for programs that put the VR and the numbers of such an element in place before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dicomcore.interop.pydicom.names.dataelem import DataElement, RawDataElement, convert_raw_data_element
from dicomcore.interop.pydicom.names.tag import BaseTag, Tag
from dicomcore.tags import PIXEL_TAGS

PIXEL_DATA, LUT_DATA = 0x7FE00010, 0x00283006
WAVEFORM_TAGS = {0x54000110, 0x54000112, 0x5400100A, 0x54001010}


def correct_ambiguous_vr(ds: Any, is_little_endian: bool, ancestors: Sequence[Any] | None = None) -> Any:
    """Settle the VRs of a data set and its items that depend on other elements, in place; return the data set.

    Values that are bytes become numbers where the VR is US or SS. `ancestors` are the data sets around `ds`, the
    nearest first. Raises AttributeError if an element that a VR depends on is missing.
    """
    waiting = [(ds, list(ancestors or ()))]
    while waiting:
        current, around = waiting.pop()
        for tag in list(current.keys()):
            element = current[tag]
            if element.VR == "SQ":
                waiting.extend((item, [current, *around]) for item in element.value or ())
            elif " or " in element.VR:
                current[tag] = correct_ambiguous_vr_element(element, current, is_little_endian, around)
    return ds


def correct_ambiguous_vr_element(
    elem: Any, ds: Any, is_little_endian: bool, ancestors: Sequence[Any] | None = None
) -> Any:
    """The element with its VR settled by the data set around it; the element as it is if nothing depends.

    Raises AttributeError if an element that the VR depends on is missing.
    """
    stated, raw = elem.VR, isinstance(elem, RawDataElement)
    if " or " not in (stated or ""):
        return elem
    tag = Tag(elem.tag)
    try:
        settled = _settled(tag, stated, ds, [ds, *(ancestors or ())])
    except AttributeError as error:
        reason = f"Failed to resolve ambiguous VR for tag {tag}: {error}"
        raise AttributeError(reason) from error
    if raw:
        return convert_raw_data_element(elem._replace(VR=settled), ds=ds)
    value = elem.value
    if settled in ("US", "SS") and isinstance(value, bytes):
        value = _numbers(value, settled, is_little_endian)
    return DataElement(tag, settled, value, already_converted=True)


def _settled(tag: BaseTag, stated: str, ds: Any, chain: list[Any]) -> str:
    """The VR by the elements that PS3.5 A and PS3.6 name."""
    if tag in WAVEFORM_TAGS or tag == PIXEL_DATA:
        if ds.original_encoding[0]:
            return "OW"
        bits = ds.WaveformBitsAllocated if tag in WAVEFORM_TAGS else ds.BitsAllocated
        return "OW" if bits > 8 else "OB"
    if tag == LUT_DATA:
        return "US" if _first(ds.LUTDescriptor) == 1 else "OW"
    if stated == "OB or OW":
        return "OW"
    for around in chain:
        signed = around.get("PixelRepresentation")
        if signed is not None:
            return "SS" if signed else "US"
    if any(pixel_tag in around for around in chain for pixel_tag in PIXEL_TAGS):
        return "SS" if ds.PixelRepresentation else "US"  # the data set says that it has none
    return "US"


def _first(descriptor: Any) -> int:
    if isinstance(descriptor, bytes):
        return int.from_bytes(descriptor[:2], "little")
    return int(descriptor if isinstance(descriptor, int) else descriptor[0])


def _numbers(value: bytes, vr: str, is_little_endian: bool) -> Any:
    kind = ("<" if is_little_endian else ">") + ("i2" if vr == "SS" else "u2")
    numbers = np.frombuffer(value, kind).tolist()
    return numbers[0] if len(numbers) == 1 else numbers or None
