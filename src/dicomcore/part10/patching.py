"""patch: a few elements of a file changed where they stand, or with one streamed copy."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.scan.index import Index
from dicomcore._native.scan.source import Source
from dicomcore._native.write.compose import bytes_in_place
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.state import index_of
from dicomcore.dataset.validation import number_fault
from dicomcore.dictionary import dictionary_VR, keyword_for_tag
from dicomcore.encoding.widen import Widen
from dicomcore.errors import EncodeError
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.part10.rows import ROW
from dicomcore.part10.writer import dcmwrite
from dicomcore.tags import ITEM, Tag
from dicomcore.vrs import VRS

if TYPE_CHECKING:
    from dicomcore.dataset.validation import Validation

__all__ = ["patch"]

STEP_INTO = re.compile(r"(.+?)\[(\d+)\]$")
# VRs whose values mean the same with spaces behind them (PS3.5 6.2).
PADDED = frozenset(vr.name for vr in VRS if vr.padding == b" " and not vr.fixed)
IDENTITY = {0x00080016: 0x00020002, 0x00080018: 0x00020003}  # in the data set, in the file meta information


def patch(
    path: str | os.PathLike[str],
    changes: Mapping[Any, Any],
    *,
    widen: Widen | None = None,
    validate: Validation | None = None,
    durable: bool = True,
    force: bool = False,
    limits: Limits | None = None,
) -> bool:
    """Change elements of a file: values by keyword or tag, "BeamSequence[0].BeamName" for one inside items.

    Where every value fits in the place of the old one (as long, or shorter in a VR that spaces may pad), they are
    written there, and True is returned. Otherwise the file is copied once, in little memory, and replaced when the copy
    is complete; then False is returned. Pixel data is never decoded. What isn't named stays byte for byte, with two
    exceptions: group lengths are counted again, and the file meta information follows SOP Class and SOP Instance UID.
    An element that stands twice, against PS3.5 7.1, stands once afterwards, so that no old value is left.

    Writing in place leaves a file that can be read at any moment, with old values or new ones.

    Parameters
    ----------
    path
        The file.
    changes
        New values by keyword, tag, or path.
    widen, validate, durable
        As in `dcmwrite`.
    force, limits
        As in `dcmread`: `force` takes a file without DICM prefix for a bare data set.

    Raises KeyError for what can't be found or has no known VR; EncodeError, which names the element, for a value that
    can't be written, and for Media Storage SOP Class or Instance UIDs that contradict the data set's (PS3.10 7.1); and
    what `dcmread` and `dcmwrite` raise. The file is then as it was.
    """
    ds = dcmread(path, force=force, limits=limits)
    len(ds)  # reading paused at the pixel data: an element may stand again behind it, which is to be seen in a copy too
    changed = [_set(ds, key, value, validate) for key, value in changes.items()]
    for element in list(changed):
        if int(element.tag) in IDENTITY and element.tag in ds and ds[element.tag] is element:
            changed += _follow(ds, IDENTITY[int(element.tag)], element.value)
    _check_identity(ds, changed)
    index = index_of(ds)
    places = None if widen or index is None or index.inflated else _places(changed)
    if index is None or places is None or not _stand_once(index, changed):
        dcmwrite(path, ds, enforce_standard=False, widen=widen, durable=durable)
        return False
    _write_there(path, index.source, places, durable)
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
        element = _added(place, key, value)
    fault = "" if validate else number_fault(element.VR, element.value)
    if fault:
        said = f"{element.tag} {element.keyword}: {fault}; validate='warn' writes it all the same"
        raise EncodeError(said, tag=element.tag)
    return element


def _added(place: Dataset, key: Any, value: Any) -> DataElement:
    """Set an element that the file lacks."""
    try:
        place.update({key: value})
    except EncodeError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        tag = Tag(key)
        try:
            vr = dictionary_VR(tag)
        except KeyError:
            raise KeyError(f"{tag} is not in the file, and its VR is not known") from None
        raise EncodeError(f"{tag} {keyword_for_tag(tag)}: VR {vr}: {error}", tag=tag) from error
    return place[key]


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


def _check_identity(ds: Dataset, changed: list[DataElement]) -> None:
    """Refuse UIDs of the file meta information that contradict the data set's (PS3.10 7.1)."""
    tags = {int(element.tag) for element in changed}
    for tag, meta_tag in IDENTITY.items():
        if meta_tag not in tags or ds.file_meta is None:
            continue
        stated, own = ds.file_meta.get(meta_tag), ds.get(tag)
        if own and own.value and stated is not None and stated.value != own.value:
            raise EncodeError(
                f"{stated.tag} {stated.keyword}: {stated.value} contradicts the data set's {own.keyword} {own.value}: "
                f"change {own.keyword}, and the file meta information follows",
                tag=stated.tag,
            )


def _stand_once(index: Index, changed: list[DataElement]) -> bool:
    """Whether each element, which has a place in the file, stands there once.

    One that stands twice, against PS3.5 7.1, would keep its other value, which some readers show.
    """
    rows = np.frombuffer(index, ROW)
    return all(_stands_once(rows, element) for element in changed)


def _stands_once(rows: NDArray[np.void], element: DataElement) -> bool:
    """Whether neither the element nor a sequence around it has another with its tag beside it."""
    found = np.flatnonzero((rows["tag"] == int(element.tag)) & (rows["offset"] == element.offset))
    if len(found) != 1:
        return False  # not among these rows: in a sequence that the file calls UN
    row = rows[found[0]]
    while True:
        alike = (rows["tag"] == row["tag"]) & (rows["parent"] == row["parent"])
        if row["tag"] != ITEM and np.count_nonzero(alike) != 1:
            return False
        if row["parent"] < 0:
            return True
        row = rows[row["parent"]]


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
        if data is None or offset is None or length is None or _concerns_others(int(element.tag)):
            return None
        if len(data) != length:
            if len(data) > length or not data or element.VR not in PADDED:
                return None
            data = data.ljust(length)
        places.append((offset, data))
    return places


def _concerns_others(tag: int) -> bool:
    """Whether other bytes of the file depend on an element: group lengths are counted again in a copy, and what another
    character set or transfer syntax changes is encoded again."""
    return tag & 0xFFFF == 0 or tag in (0x00080005, 0x00020010)


def _write_there(path: Any, source: Source, places: list[tuple[int, bytes]], durable: bool) -> None:
    with open(path, "r+b", buffering=0) as file:
        source.give_back(source.borrow())  # says so where the file is another by now
        for offset, data in places:
            file.seek(offset)
            file.write(data)
        if durable:
            os.fsync(file.fileno())
