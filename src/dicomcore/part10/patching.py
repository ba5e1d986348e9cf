"""patch: change a few elements of a file, in place if possible, else with one streamed copy."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dicomcore._native.scan.index import Index
from dicomcore._native.scan.source import Source
from dicomcore._native.write.compose import bytes_in_place
from dicomcore.arrays import np
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.state import index_of, meta_of
from dicomcore.dataset.validation import number_fault
from dicomcore.dictionary import dictionary_VR, keyword_for_tag
from dicomcore.encoding.widen import Widen
from dicomcore.errors import EncodeError
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.part10.rows import rows_of
from dicomcore.part10.writer import dcmwrite
from dicomcore.tags import ITEM, Tag
from dicomcore.vrs import VRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomcore.dataset.validation import Validation

__all__ = ["patch"]

STEP_INTO = r"(.+?)\[(\d+)\]$"  # compiled when first used
# VRs in which trailing spaces are not part of the value (PS3.5 6.2).
PADDED = frozenset(vr.name for vr in VRS if vr.padding == b" " and not vr.fixed)
IDENTITY = {0x00080016: 0x00020002, 0x00080018: 0x00020003}  # tags in the data set, and in the file meta information


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
    """Change elements of a file.

    If every new value fits in the place of the old one, the values are written there; meanwhile the file is always
    readable, with old values or new ones. A value fits if it is as long as the old one, or shorter in a VR that may be
    padded with spaces. Otherwise the file is copied once, with little memory, and replaced by the complete copy.

    Pixel data is never decoded. All other elements stay byte for byte, with two exceptions: group lengths are counted
    again, and the file meta information follows SOP Class UID and SOP Instance UID. A changed element that the file
    repeats, against PS3.5 7.1, is there once afterwards, so that no old value remains. After an error the file is
    unchanged; besides the exceptions below, those of `dcmread` and `dcmwrite` may be raised.

    Parameters
    ----------
    path : path
        The file.
    changes : mapping
        New values by keyword, tag, or path of an element in an item, such as ``"BeamSequence[0].BeamName"``.
    widen, validate, durable
        As for `dcmwrite`.
    force : bool
        Read a file without DICM prefix as a bare data set, as for `dcmread`.
    limits : Limits, optional
        As for `dcmread`.

    Returns
    -------
    bool
        True if the values were written in place, False if the file was copied.

    Raises
    ------
    KeyError
        An item or element does not exist, or a new element's VR is not known.
    EncodeError
        A value cannot be written (the message names the element), or Media Storage SOP Class UID or SOP Instance UID
        contradict the data set's (PS3.10 7.1).
    """
    ds = dcmread(path, force=force, limits=limits)
    # Reading paused at the pixel data. len() completes the index: an element may be repeated behind the pixel data, and
    # a copy must account for that, too.
    len(ds)
    changed = [_set(ds, key, value, validate) for key, value in changes.items()]
    for element in list(changed):
        if int(element.tag) in IDENTITY and element.tag in ds and ds[element.tag] is element:
            changed += _update_meta(ds, IDENTITY[int(element.tag)], element.value)
    _check_identity(ds, changed)
    index = index_of(ds)
    places = None if widen or index is None or index.inflated else _places(changed)
    if index is None or places is None or not _are_unique(index, changed):
        dcmwrite(path, ds, enforce_standard=False, widen=widen, durable=durable)
        return False
    _write_in_place(path, index.source, places, durable)
    return True


def _set(ds: Dataset, key: Any, value: Any, validate: Validation | None) -> DataElement:
    """Set one element and return it."""
    place = ds
    if isinstance(key, str) and "[" in key:
        *steps, key = key.split(".")
        for step in steps:
            match = re.match(STEP_INTO, step)
            if match is None or match[1] not in place:
                raise KeyError(f"{step!r} is not an item of a sequence in the file")
            items = place[match[1]].value
            if not isinstance(items, list) or int(match[2]) >= len(items):
                raise KeyError(f"{step!r}: the sequence has {len(items) if isinstance(items, list) else 0} items")
            place = items[int(match[2])]
    if place is ds and _group(key) == 2:
        meta = meta_of(ds)
        if meta is None:
            raise KeyError("the file has no file meta information")
        place = meta
    place.validation = validate or "ignore"
    if key in place:
        element = place[key]
        try:
            element.value = value
        except (TypeError, ValueError, OverflowError) as error:  # the value does not suit the VR that the file states
            raise EncodeError(f"{element.tag} {element.keyword}: VR {element.VR}: {error}", tag=element.tag) from error
    else:
        element = _added(place, key, value)
    fault = "" if validate else number_fault(element.VR, element.value)
    if fault:
        message = f"{element.tag} {element.keyword}: {fault}; validate='warn' writes it nevertheless"
        raise EncodeError(message, tag=element.tag)
    return element


def _added(place: Dataset, key: Any, value: Any) -> DataElement:
    """Add an element that the file lacks, and return it."""
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


def _update_meta(ds: Dataset, tag: int, value: Any) -> list[DataElement]:
    """Set an element of the file meta information if it has it; a list of the elements that were set."""
    meta = meta_of(ds)
    if meta is None or tag not in meta:
        return []
    meta[tag].value = value
    return [meta[tag]]


def _check_identity(ds: Dataset, changed: list[DataElement]) -> None:
    """Refuse UIDs of the file meta information that contradict the data set's (PS3.10 7.1)."""
    tags = {int(element.tag) for element in changed}
    meta = meta_of(ds)
    for tag, meta_tag in IDENTITY.items():
        if meta_tag not in tags or meta is None:
            continue
        stated, own = meta.get(meta_tag), ds.get(tag)
        if own and own.value and stated is not None and stated.value != own.value:
            raise EncodeError(
                f"{stated.tag} {stated.keyword}: {stated.value} contradicts the data set's {own.keyword} {own.value}: "
                f"change {own.keyword}, and the file meta information follows",
                tag=stated.tag,
            )


def _are_unique(index: Index, changed: list[DataElement]) -> bool:
    """Whether the file contains each element only once.

    If it repeats an element, against PS3.5 7.1, writing in place would leave the other value, which some readers show.
    """
    rows = rows_of(index)
    return all(_is_unique(rows, element) for element in changed)


def _is_unique(rows: NDArray[np.void], element: DataElement) -> bool:
    """Whether no other element of the same data set has the tag of the element, or of a sequence around it."""
    matches = np.flatnonzero((rows["tag"] == int(element.tag)) & (rows["offset"] == element.offset))
    if len(matches) != 1:
        return False  # it has no row here: it is in a sequence whose VR is UN in the file
    row = rows[matches[0]]
    while True:
        alike = (rows["tag"] == row["tag"]) & (rows["parent"] == row["parent"])
        if row["tag"] != ITEM and np.count_nonzero(alike) != 1:
            return False
        if row["parent"] < 0:
            return True
        row = rows[row["parent"]]


def _places(changed: list[DataElement]) -> list[tuple[int, bytes]] | None:
    """(offset, bytes) of each new value, padded to the length of the old one; None if any does not fit."""
    places = []
    for element in changed:
        try:
            data = bytes_in_place(element)
        except EncodeError as error:
            name = f"{element.tag} {element.keyword}".rstrip()
            raise EncodeError(f"{name}: {error}", tag=element.tag, character=error.character) from None
        offset, length = element.offset, element.length
        if data is None or offset is None or length is None or _affects_other_bytes(int(element.tag)):
            return None
        if len(data) != length:
            if len(data) > length or not data or element.VR not in PADDED:
                return None
            data = data.ljust(length)
        places.append((offset, data))
    return places


def _affects_other_bytes(tag: int) -> bool:
    """Whether other bytes of the file depend on the element: then only a copy is right, which counts group lengths and
    encodes again what another character set or transfer syntax changes."""
    return tag & 0xFFFF == 0 or tag in (0x00080005, 0x00020010)


def _write_in_place(path: Any, source: Source, places: list[tuple[int, bytes]], durable: bool) -> None:
    with open(path, "r+b", buffering=0) as file:
        source.give_back(source.borrow())  # raises if the file was changed or replaced meanwhile
        for offset, data in places:
            file.seek(offset)
            file.write(data)
        if durable:
            os.fsync(file.fileno())
