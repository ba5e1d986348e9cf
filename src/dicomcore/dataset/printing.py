"""The printed text of elements and data sets, in pydicom's form."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from dicomcore._native.views.data_element import later_of
from dicomcore._native.views.state import loose_bytes
from dicomcore.dataset.meta import meta_of
from dicomcore.dataset.paths import Below, unfolded
from dicomcore.uids import UID
from dicomcore.vrs import NUMBERS, VRS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dicomcore.dataset import DataElement, Dataset

NAME_WIDTH = 35
MOST_SHOWN = 16  # of longer values only the length is shown
ABRIDGED = frozenset(vr.name for vr in VRS if vr.kind == "bytes" or vr.longest > 1024)


def value_text(element: DataElement) -> str:
    """One line for an element's value."""
    later = later_of(element)
    if later is not None:
        return f"at {later.uri}"  # printing fetches nothing
    value = element.value
    loose = loose_bytes(element) if element.VR == "SQ" else b""  # bytes in place of items
    if loose:
        return repr(loose) if len(loose) <= 4 * MOST_SHOWN else f"Array of {len(loose)} elements"
    if _may_be_long(element.VR) and isinstance(value, Sized) and len(value) > MOST_SHOWN:
        return f"Array of {len(value)} elements"
    if element.VM > MOST_SHOWN:
        return f"Array of {element.VM} elements"
    if isinstance(value, UID):
        return value.name
    if isinstance(value, list) and not value and element.VR != "SQ":
        return ""
    if element.VR in ("DS", "IS") and value is not None:
        return number_text(element, value)
    if isinstance(value, list) and element.VR not in NUMBERS and element.VR != "SQ":
        return "[" + ", ".join(str(v) if element.VR in ("AT", "PN") else repr(v) for v in value) + "]"
    return repr(value) if value is not None else "None"


def _may_be_long(vr: str) -> bool:
    return vr in ABRIDGED or " or " in vr  # pixel data that was set is "OB or OW" until it is written


def number_text(element: DataElement, value: Any) -> str:
    """DS and IS as they are written in the file, quoted if single, bare in a list; of a single IS the number."""
    if isinstance(value, int):
        return f"'{value}'"
    if element.raw is not None:
        texts = [part.strip(" \0") for part in bytes(element.raw).decode("latin-1").split("\\")]
    else:
        texts = [str(v) for v in value] if isinstance(value, list) else [str(value)]
    return "[" + ", ".join(texts) + "]" if isinstance(value, list) else repr(texts[0])


def element_line(element: DataElement) -> str:
    """`(gggg,eeee) Name VR: value`."""
    return f"{element.tag} {element.name[:NAME_WIDTH]:<{NAME_WIDTH}} {element.VR}: {value_text(element)}"


def data_set_lines(data_set: Dataset, *, items: bool = True) -> Iterator[str]:
    """The lines of a data set and of its items, which are indented by three columns for each level."""
    meta = meta_of(data_set)
    if meta:
        yield f"{'Dataset.file_meta ':-<49}"
        for element in meta:
            yield element_line(element)
        yield f"{'':-<49}"
    yield from unfolded(data_set, own_lines(data_set, "", items))


def own_lines(data_set: Dataset, margin: str, items: bool) -> Iterator[str | Below[str]]:
    """The lines of one data set, each behind `margin`."""
    inside = margin + "   "
    for element in data_set:
        if element.VR != "SQ" or loose_bytes(element):
            yield margin + element_line(element)
            continue
        yield f"{margin}{element.tag}  {element.name}  {len(element.value)} item(s) ---- "
        for item in element.value if items else ():
            yield Below(item, own_lines(item, inside, items)) if len(item) else ""
            yield inside + "---------"
