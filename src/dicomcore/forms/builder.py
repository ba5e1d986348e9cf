"""Data sets as an interchange form is read: elements put where they belong, within limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dicomcore.dataset import DataElement, Dataset, Sequence
from dicomcore.dataset.state import note, put
from dicomcore.forms.place import Place
from dicomcore.forms.typed import from_bytes, odd, typed
from dicomcore.forms.unknown import known_bytes, known_values
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.tags import Tag
from dicomcore.vrs import BYTES, TEXTS

__all__ = ["Builder"]

Fetch = Callable[[str, str, str], Any]
LEVELS = 2
"""What Limits.depth counts for one of a sequence: itself and its items."""


class Builder:
    """The data set that is being read, `root`, and what was met on the way."""

    def __init__(self, limits: Limits | None, cls: type[Dataset] | None = None) -> None:
        self.limits = limits or DEFAULT_LIMITS
        self.root = (cls or Dataset)()
        self.left = self.limits.elements

    def home(self, data_set: Dataset, place: Place) -> Dataset | None:
        """The data set that an element of `data_set` goes to: file meta information has its own. None for one that is
        left out, a group length. Raises ParseError where there is such an element already, or can be none."""
        group, element = place.tag >> 16, place.tag & 0xFFFF
        if group == 0xFFFE:
            raise place.fault("items and delimiters are no attributes")
        if element == 0:
            return None
        if group == 2:
            if place.prefix:
                raise place.fault("file meta information inside an item")
            if self.root.file_meta is None:
                self.root.file_meta = Dataset()
            data_set = self.root.file_meta
        if place.tag in data_set:
            raise place.fault("stands twice")
        return data_set

    def add(self, data_set: Dataset, place: Place, vr: str, value: Any) -> None:
        """Put an element in."""
        self.count(place, 1)
        fault = odd(vr, value)
        if fault:
            self.note("BAD_VALUE", place, fault)
        put(data_set, DataElement(place.tag, vr, value))

    def sequence(self, data_set: Dataset, place: Place) -> Sequence:
        """Put a sequence in, which has no items yet."""
        items = Sequence()
        self.add(data_set, place, "SQ", items)
        return items

    def item(self, place: Place, items: Sequence) -> Dataset:
        """Put an empty item at the end of a sequence."""
        if LEVELS * (place.prefix.count("[") + 1) > self.limits.depth:
            raise place.limit(f"sequences nested deeper than Limits.depth, {self.limits.depth}")
        self.count(place, 1)
        item = Dataset()
        items.append(item)
        return item

    def count(self, place: Place, more: int) -> None:
        """Count elements and items against the limit."""
        self.left -= more
        if self.left < 0:
            raise place.limit(f"more than Limits.elements, {self.limits.elements}")

    def note(self, code: str, place: Place, said: str) -> None:
        """Keep what deviates, for `issues`."""
        note(self.root, Issue(code, Tag(place.tag), 0, f"{place}: {said}"))

    def of_bytes(self, data_set: Dataset, place: Place, vr: str, data: bytes) -> tuple[str, Any]:
        """VR and value for the bytes of an attribute: the dictionary's VR where UN is stated, if it has one."""
        if vr == "UN":
            return known_bytes(data, place, data_set, self.root, self.limits)
        return vr, from_bytes(vr, data, place)

    def of_values(self, data_set: Dataset, place: Place, vr: str, values: list[Any]) -> tuple[str, Any]:
        """VR and value for the values of an attribute, which those of bytes don't have."""
        if vr not in BYTES:
            return vr, typed(vr, values, place)
        if vr != "UN" or not values or values == [None]:
            return vr, None
        self.note("BAD_VALUE", place, "values of an attribute whose VR is UN, which takes bytes")
        return known_values(values, place, data_set)

    def fragment(self, fetch: Fetch | None, vr: str, uri: str, place: Place) -> bytes | None:
        """The bytes of a fragment that stands elsewhere; None, and an issue, where nobody fetches any."""
        found = self.fetched(fetch, vr, uri, place)
        if found is not None and not isinstance(found, bytes):
            raise TypeError(f"{place}: bulk_data_uri_handler gives bytes for {vr}, not {type(found).__name__}")
        return found if fetch is None else found or b""

    def fetched(self, fetch: Fetch | None, vr: str, uri: str, place: Place) -> Any:
        """The value that bulk data stands for; an empty one, and an issue, where nobody fetches any."""
        if fetch is None:
            self.note("BULK_DATA", place, f"the value is at {uri}, and no bulk_data_uri_handler was given; it is empty")
            return "" if vr in TEXTS else None
        value = fetch(f"{place.tag:08X}", vr, uri)
        if value is None:
            return "" if vr in TEXTS else None
        if isinstance(value, bytes | bytearray | memoryview):
            return from_bytes(vr, bytes(value), place)
        if vr in BYTES:
            raise TypeError(f"{place}: bulk_data_uri_handler gives bytes for {vr}, not {type(value).__name__}")
        return typed(vr, list(value) if isinstance(value, list | tuple) else [value], place)
