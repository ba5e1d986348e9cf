"""patch: a few elements of a file changed where they stand, or with one streamed copy."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dicomcore._native.compose import bytes_in_place
from dicomcore.dataset import DataElement, Dataset
from dicomcore.errors import EncodeError
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.part10.widen import Widen
from dicomcore.part10.writer import dcmwrite
from dicomcore.tags import Tag
from dicomcore.validation import number_fault

if TYPE_CHECKING:
    from dicomcore.validation import Validation

__all__ = ["patch"]

STEP_INTO = re.compile(r"(.+?)\[(\d+)\]$")
# VRs whose values mean the same with spaces behind them (PS3.5 6.2).
PADDED = frozenset(("AE", "CS", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"))
IDENTITY = {0x00080016: 0x00020002, 0x00080018: 0x00020003}  # in the data set, in the file meta information


def patch(
    path: str | os.PathLike[str],
    changes: Mapping[Any, Any],
    *,
    widen: Widen | None = None,
    validate: Validation | None = None,
    durable: bool = True,
    limits: Limits | None = None,
) -> bool:
    """Change elements of a file: values by keyword or tag, "BeamSequence[0].BeamName" for one inside items.

    Where every value fits in the place of the old one (as long, or shorter in a VR that spaces may pad) they are
    written there, and True is returned. Otherwise the file is copied once, in little memory, and replaced when the copy
    is complete; then False is returned. Pixel data is never decoded, and what isn't named stays byte for byte; but
    group lengths are counted anew, and the file meta information goes along with SOP Class and SOP Instance UID.

    Writing in place leaves a file that can be read at any moment, with old values or new ones. `widen`, `validate` and
    `durable` are as in `dcmwrite`. Raises KeyError for what can't be found or has no known VR, EncodeError, which names
    the element, and what `dcmread` and `dcmwrite` raise; nothing has changed then.
    """
    ds = dcmread(path, limits=limits)
    changed = [_set(ds, key, value, validate) for key, value in changes.items()]
    for element in list(changed):
        if int(element.tag) in IDENTITY and element.tag in ds and ds[element.tag] is element:
            changed += _follow(ds, IDENTITY[int(element.tag)], element.value)
    places = None if widen or ds._index is None or ds._index.inflated else _places(changed)
    if places is None:
        dcmwrite(path, ds, enforce_standard=False, widen=widen, durable=durable)
        return False
    _write_there(path, ds, places, durable)
    return True


def _set(ds: Dataset, key: Any, value: Any, validate: Validation | None) -> DataElement:
    """Set one element; the element itself."""
    place = ds
    if isinstance(key, str) and "[" in key:
        *steps, key = key.split(".")
        for step in steps:
            found = STEP_INTO.match(step)
            if found is None or found[1] not in place:
                raise KeyError(f"{step!r} is no item of a sequence that is there")
            items = place[found[1]].value
            if not isinstance(items, list) or int(found[2]) >= len(items):
                raise KeyError(f"{step!r}: there are {len(items) if isinstance(items, list) else 0} items")
            place = items[int(found[2])]
    if place is ds and _group(key) == 2:
        if ds.file_meta is None:
            raise KeyError("the file has no file meta information")
        place = ds.file_meta
    place.validation = validate or "ignore"
    if key in place:
        element = place[key]
        try:
            element.value = value
        except (TypeError, ValueError, OverflowError) as error:  # of the VR that the file gives it, be it damaged
            raise EncodeError(f"{element.tag} {element.keyword}: VR {element.VR}: {error}", tag=element.tag) from error
    else:
        place.update({key: value})
        element = place[key]
    fault = "" if validate else number_fault(element.VR, element.value)
    if fault:
        said = f"{element.tag} {element.keyword}: {fault}; validate='warn' writes it all the same"
        raise EncodeError(said, tag=element.tag)
    return element


def _group(key: Any) -> int:
    try:
        return Tag(key).group
    except (ValueError, TypeError, OverflowError):
        raise KeyError(f"{key!r} is neither a keyword nor a tag") from None


def _follow(ds: Dataset, tag: int, value: Any) -> list[DataElement]:
    meta = ds.file_meta
    if meta is None or tag not in meta:
        return []
    meta[tag].value = value
    return [meta[tag]]


def _places(changed: list[DataElement]) -> list[tuple[int, bytes]] | None:
    """(offset, bytes) of each value, as long as the old one; None where one of them doesn't fit."""
    places = []
    for element in changed:
        try:
            data = bytes_in_place(element)
        except EncodeError as error:
            name = f"{element.tag} {element.keyword}".rstrip()
            raise EncodeError(f"{name}: {error}", tag=element.tag, character=error.character) from None
        offset, length = element.offset, element.length
        if data is None or offset is None or length is None or int(element.tag) == 0x00080005:
            return None
        if len(data) != length:
            if len(data) > length or not data or element.VR not in PADDED:
                return None
            data = data.ljust(length)
        places.append((offset, data))
    return places


def _write_there(path: Any, ds: Dataset, places: list[tuple[int, bytes]], durable: bool) -> None:
    assert ds._index is not None
    source = ds._index.source
    with open(path, "r+b", buffering=0) as file:
        source.give_back(source.borrow())  # says so where the file is another by now
        for offset, data in places:
            file.seek(offset)
            file.write(data)
        if durable:
            os.fsync(file.fileno())
