"""Selectors: which images belong to an image set of a hanging protocol, and their order (PS3.3 C.23.1, C.23.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, float_array, items_of, number_of, text_of, texts_of
from dicomcore.errors import ParseError
from dicomcore.tags import Tag
from dicomcore.values import parse_date, parse_datetime, parse_time

__all__ = ["Selector", "Sorting", "acquired", "filter_of", "moment", "selector_of", "sorting_of"]

VALUES_OF = (
    *("AE", "AS", "AT", "DA", "CS", "DT", "IS", "LO", "LT", "PN", "TM", "SH", "ST", "UC", "UT", "UR"),
    *("DS", "FD", "FL", "UL", "US", "SL", "SS", "UI", "OV", "SV", "UV"),
)
"""VRs whose values selectors can compare."""
RANGES = {"RANGE_INCL": True, "RANGE_EXCL": False}
BOUNDS = ("GREATER_OR_EQUAL", "LESS_OR_EQUAL", "GREATER_THAN", "LESS_THAN")
MEMBERS = ("MEMBER_OF", "NOT_MEMBER_OF")
PLANES = ("SAGITTAL", "CORONAL", "TRANSVERSE")
ALIGNED = 0.8  # a plane whose normal deviates further from every axis is oblique
MOST_VALUES = 1 << 16  # of one attribute in the frames of one image


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attribute is: its tag, the sequences and the functional group around it, and private creators."""

    tag: int
    creator: str = ""
    sequences: tuple[tuple[int, str], ...] = ()
    group: tuple[int, str] | None = None

    def values(self, image: Dataset) -> list[Any] | None:
        """Return the values of the attribute in an image; None if it does not have it."""
        found = [element for place in self._around(image) if (element := _element(place, self.tag, self.creator))]
        values: list[Any] = []
        for element in found:
            value = element.value
            values += list(value) if isinstance(value, list) else [] if value in (None, "") else [value]
            if len(values) > MOST_VALUES:
                raise ParseError(f"{Tag(self.tag)} has more than {MOST_VALUES} values", tag=self.tag)
        return values if found else None

    def _around(self, image: Dataset) -> Iterator[Dataset]:
        """Yield the items that may have the attribute."""
        places = [image]
        if self.group is not None:
            shared = items_of(image, "SharedFunctionalGroupsSequence")
            places = _inside([*shared, *items_of(image, "PerFrameFunctionalGroupsSequence")], *self.group)
        for tag, creator in self.sequences:
            places = _inside(places, tag, creator)
        yield from places


@dataclass(frozen=True, slots=True)
class Selector:
    """A condition on one attribute, or on the category of an image."""

    place: Place | None
    """None for a condition on the image's plane."""
    operator: str
    """MEMBER_OF for image sets; PRESENT, NOT_PRESENT and the operators of filters."""
    values: tuple[Any, ...]
    number: int = 0
    """The number of the value to compare, from 1; 0 for any."""
    absent: bool = False
    """Whether images without the attribute are taken."""

    def takes(self, image: Dataset) -> bool:
        """Whether an image fulfils the condition."""
        found = [plane_of(image)] if self.place is None else self.place.values(image)
        if self.operator in ("PRESENT", "NOT_PRESENT"):
            return (found is not None) == (self.operator == "PRESENT")
        if found is None:
            return self.absent
        if self.number:
            found = found[self.number - 1 : self.number]
        member = any(self._fits(_comparable(value)) for value in found)
        return member != (self.operator == "NOT_MEMBER_OF")

    def _fits(self, value: Any) -> bool:
        if self.operator in MEMBERS:
            return value in self.values
        try:
            if self.operator in RANGES:
                low, high = self.values
                return bool(low <= value <= high) == RANGES[self.operator]
            (bound,) = self.values
            if self.operator.startswith("GREATER"):
                return bool(value > bound or (value == bound and self.operator == "GREATER_OR_EQUAL"))
            return bool(value < bound or (value == bound and self.operator == "LESS_OR_EQUAL"))
        except TypeError:  # a text and a number
            return False


@dataclass(frozen=True, slots=True)
class Sorting:
    """One key of the order of images."""

    place: Place | None
    category: str
    """ALONG_AXIS, BY_ACQ_TIME, or empty for the attribute at `place`."""
    number: int
    decreasing: bool

    def sorted(self, images: list[Dataset]) -> list[Dataset]:
        """Return the images in order; those without a key come last, in the order that they have."""
        keyed = [(self.key(image), image) for image in images]
        known = [pair for pair in keyed if pair[0] is not None]
        texts = any(isinstance(key, str) for key, _ in known)
        known.sort(key=lambda pair: str(pair[0]) if texts else pair[0], reverse=self.decreasing)
        return [image for _, image in known] + [image for key, image in keyed if key is None]

    def key(self, image: Dataset) -> Any:
        """Return what an image is sorted by; None if it has none."""
        if self.category == "ALONG_AXIS":
            return position_of(image)
        if self.category == "BY_ACQ_TIME":
            return acquired(image)
        values = None if self.place is None else self.place.values(image)
        chosen = (values or [])[max(self.number - 1, 0) :][:1]
        key = _comparable(chosen[0]) if chosen else None
        return key if isinstance(key, (int, float, str)) else None


def selector_of(item: Dataset, where: str) -> Selector:
    """Read an item of Image Set Selector Sequence: its attribute has one of the values."""
    return Selector(_place(item, where), "MEMBER_OF", _values(item, where), _number(item, where), _absent(item, where))


def filter_of(item: Dataset, where: str) -> Selector:
    """Read an item of Filter Operations Sequence."""
    category = text_of(item, "FilterByCategory")
    if category not in (None, "", "IMAGE_PLANE"):
        raise _wrong(where, "FilterByCategory", f"IMAGE_PLANE, not {category!r}")
    place = None if category else _place(item, where)
    presence, operator = text_of(item, "FilterByAttributePresence"), text_of(item, "FilterByOperator")
    if presence:
        if presence not in ("PRESENT", "NOT_PRESENT") or category:
            raise _wrong(where, "FilterByAttributePresence", f"PRESENT or NOT_PRESENT, not {presence!r}")
        return Selector(place, presence, ())
    if operator not in (*MEMBERS, *BOUNDS, *RANGES):
        raise _wrong(where, "FilterByOperator", f"{', '.join((*MEMBERS, *BOUNDS, *RANGES))}, not {operator!r}")
    values = _values(item, where)
    wanted = 2 if operator in RANGES else 1 if operator in BOUNDS else None
    if wanted is not None and len(values) != wanted:
        raise _wrong(where, "FilterByOperator", f"{operator} with {wanted} values, not {len(values)}")
    if operator in RANGES and len({isinstance(value, str) for value in values}) > 1:
        raise _wrong(where, "FilterByOperator", f"{operator} of two numbers or two texts, not {values}")
    return Selector(place, operator, values, _number(item, where), _absent(item, where))


def sorting_of(item: Dataset, where: str) -> Sorting:
    """Read an item of Sorting Operations Sequence."""
    category, direction = text_of(item, "SortByCategory") or "", text_of(item, "SortingDirection")
    if category not in ("", "ALONG_AXIS", "BY_ACQ_TIME"):
        raise _wrong(where, "SortByCategory", f"ALONG_AXIS or BY_ACQ_TIME, not {category!r}")
    if direction not in ("INCREASING", "DECREASING"):
        raise _wrong(where, "SortingDirection", f"INCREASING or DECREASING, not {direction!r}")
    place = None if category else _place(item, where)
    return Sorting(place, category, _number(item, where), direction == "DECREASING")


def plane_of(image: Dataset) -> str:
    """Return TRANSVERSE, CORONAL, SAGITTAL or OBLIQUE; empty if the image states no orientation."""
    axes = _spatial(image, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    if axes is None:
        return ""
    normal = np.abs(np.cross(axes[:3], axes[3:]))
    axis = int(normal.argmax())
    return PLANES[axis] if normal[axis] >= ALIGNED else "OBLIQUE"


def position_of(image: Dataset) -> float | None:
    """Return an image's place in mm along its normal, which points towards the left, back or head."""
    axes = _spatial(image, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    place = _spatial(image, "PlanePositionSequence", "ImagePositionPatient", 3)
    if axes is None or place is None:
        return None
    normal = np.cross(axes[:3], axes[3:])
    sign = -1.0 if normal[np.abs(normal).argmax()] < 0 else 1.0
    return sign * float(normal @ place)


def acquired(image: Dataset) -> float | None:
    """Return when an image was acquired, in seconds; its content date and time if it states no other."""
    return moment(image, "Acquisition") or moment(image, "Content")


def moment(image: Dataset, prefix: str) -> float | None:
    """Return DateTime, or Date and Time of that prefix, in seconds since a fixed day; None if unknown."""
    try:
        stated = text_of(image, f"{prefix}DateTime")
        if stated:
            found = parse_datetime(stated).replace(tzinfo=None)
        else:
            day = parse_date(text_of(image, f"{prefix}Date") or "")
            clock = text_of(image, f"{prefix}Time")
            found = datetime.combine(day, parse_time(clock)) if clock else datetime(day.year, day.month, day.day)
    except ValueError:
        return None
    return (found - datetime(1, 1, 1)).total_seconds()


def _spatial(image: Dataset, group: str, keyword: str, size: int) -> Any:
    """Return numbers of an image, or of its shared or first frame's functional groups."""
    places = [image]
    for sequence in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        groups = first_item(image, sequence)
        item = None if groups is None else first_item(groups, group)
        places += [] if item is None else [item]
    for place in places:
        numbers = float_array(place, keyword)
        if numbers is not None and numbers.size == size and np.isfinite(numbers).all():
            return numbers
    return None


def _place(item: Dataset, where: str) -> Place:
    tag = item.get("SelectorAttribute")
    if not isinstance(tag, Tag):
        raise _wrong(where, "SelectorAttribute", "there")
    pointers = item.get("SelectorSequencePointer")
    sequences = [int(one) for one in (pointers if isinstance(pointers, list) else [pointers]) if one is not None]
    creators = list(texts_of(item, "SelectorSequencePointerPrivateCreator")) + [""] * len(sequences)
    group = item.get("FunctionalGroupPointer")
    around = (int(group), text_of(item, "FunctionalGroupPrivateCreator") or "") if isinstance(group, Tag) else None
    names: list[tuple[int, str]] = [
        (one, creators.pop(0) if one >> 16 & 1 else "") for one in sequences
    ]  # only private sequences have creators
    return Place(int(tag), text_of(item, "SelectorAttributePrivateCreator") or "", tuple(names), around)


def _values(item: Dataset, where: str) -> tuple[Any, ...]:
    """Return the values that a selector states, in the element for their VR."""
    codes = items_of(item, "SelectorCodeSequenceValue")
    if codes:
        return tuple(_code(code) for code in codes)
    for vr in VALUES_OF:
        value = item.get(f"Selector{vr}Value")
        if value is not None and value != "":
            return tuple(_comparable(one) for one in (value if isinstance(value, list) else [value]))
    vr = text_of(item, "SelectorAttributeVR") or ""
    keyword = "SelectorCodeSequenceValue" if vr == "SQ" else f"Selector{vr}Value" if vr in VALUES_OF else ""
    raise _wrong(where, keyword or "SelectorAttributeVR", "there, with what to compare")


def _number(item: Dataset, where: str) -> int:
    number = number_of(item, "SelectorValueNumber", 0)
    if not isinstance(number, int) or number < 0:
        raise _wrong(where, "SelectorValueNumber", f"0 or more, not {number}")
    return number


def _absent(item: Dataset, where: str) -> bool:
    flag = text_of(item, "ImageSetSelectorUsageFlag") or "NO_MATCH"
    if flag not in ("MATCH", "NO_MATCH"):
        raise _wrong(where, "ImageSetSelectorUsageFlag", f"MATCH or NO_MATCH, not {flag!r}")
    return flag == "MATCH"


def _comparable(value: Any) -> Any:
    """Return a value as numbers, texts and codes compare: numbers by value, texts without padding."""
    if isinstance(value, Dataset):
        return _code(value)
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, Tag) else float(value)
    return str(value).strip()


def _code(item: Dataset) -> tuple[str, str]:
    keywords = ("CodeValue", "LongCodeValue", "URNCodeValue")
    value = next((text for keyword in keywords if (text := text_of(item, keyword))), "")
    return value.strip(), (text_of(item, "CodingSchemeDesignator") or "").strip()


def _element(place: Dataset, tag: int, creator: str) -> Any:
    """Return an element of a data set, perhaps of a private creator; None if it is missing."""
    try:
        if creator and tag >> 16 & 1:
            return place.private_block(tag >> 16, creator)[tag & 0xFF]
        return place[tag]
    except KeyError:
        return None


def _inside(places: list[Dataset], tag: int, creator: str) -> list[Dataset]:
    """Return the items of a sequence in any of the places."""
    found: list[Dataset] = []
    for place in places:
        element = _element(place, tag, creator)
        value = None if element is None else element.value
        found += [item for item in value if isinstance(item, Dataset)] if isinstance(value, list) else []
        if len(found) > MOST_VALUES:
            raise ParseError(f"{Tag(tag)} has more than {MOST_VALUES} items", tag=tag)
    return found


def _wrong(where: str, keyword: str, wanted: str) -> ParseError:
    return ParseError(f"{where}.{keyword} must be {wanted}", tag=int(Tag(keyword)))
