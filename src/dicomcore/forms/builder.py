"""Builder: builds a data set from the attributes of an interchange format, within limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dicomcore.dataset import Dataset, Sequence
from dicomcore.dataset.state import Later, ensured_meta, later_element, note, put, served
from dicomcore.forms.element_path import ElementPath
from dicomcore.forms.typed import from_bytes, typed, vr_deviation
from dicomcore.forms.unknown import known_bytes, known_values
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.tags import Tag
from dicomcore.vrs import BYTES, TEXTS

__all__ = ["Builder"]

Fetch = Callable[[str, str, str], Any]
LEVELS = 2
"""Levels that Limits.depth counts for each nested sequence: the sequence and its item."""


class Builder:
    """The data set that is being built, `root`, with its limits and issues."""

    def __init__(self, limits: Limits | None, cls: type[Dataset] | None = None) -> None:
        self.limits = limits or DEFAULT_LIMITS
        self.root = (cls or Dataset)()
        self.elements_left = self.limits.elements
        self._item, self._sequence, self._element = served()

    def owner_of(self, data_set: Dataset, path: ElementPath) -> Dataset | None:
        """Return the data set that gets an element of `data_set`; file meta information has its own.

        None for a group length, which is dropped. Raises ParseError for a tag that occurs twice or cannot be there.
        """
        group, element = path.tag >> 16, path.tag & 0xFFFF
        if group == 0xFFFE:
            raise path.fault("items and delimiters are not attributes")
        if element == 0:
            return None
        if group == 2:
            if path.prefix:
                raise path.fault("file meta information inside an item")
            data_set = ensured_meta(self.root)
        if path.tag in data_set:
            raise path.fault("occurs twice")
        return data_set

    def add(self, data_set: Dataset, path: ElementPath, vr: str, value: Any) -> None:
        """Add an element; a value that does not fit its VR is reported as an issue."""
        self.count(path, 1)
        if isinstance(value, Later):
            put(data_set, later_element(path.tag, vr, value))
            return
        deviation = vr_deviation(vr, value)
        if deviation:
            self.note("BAD_VALUE", path, deviation)
        put(data_set, self._element(path.tag, vr, value))

    def sequence(self, data_set: Dataset, path: ElementPath) -> Sequence:
        """Add an empty sequence, and return it."""
        items = self._sequence()
        self.add(data_set, path, "SQ", items)
        return items

    def item(self, path: ElementPath, items: Sequence) -> Dataset:
        """Append an empty item to a sequence, and return it."""
        if LEVELS * (path.prefix.count("[") + 1) > self.limits.depth:
            raise path.limit(f"sequences nested deeper than Limits.depth, {self.limits.depth}")
        self.count(path, 1)
        item = self._item()
        items.append(item)
        return item

    def count(self, path: ElementPath, more: int) -> None:
        """Count elements or items against the limit."""
        self.elements_left -= more
        if self.elements_left < 0:
            raise path.limit(f"more than Limits.elements, {self.limits.elements}")

    def note(self, code: str, path: ElementPath, message: str) -> None:
        """Record an issue of the data set."""
        note(self.root, Issue(code, Tag(path.tag), 0, f"{path}: {message}"))

    def value_of_bytes(self, data_set: Dataset, path: ElementPath, vr: str, data: bytes) -> tuple[str, Any]:
        """Return VR and value for the bytes of an attribute; a UN gets the VR of the dictionary if it has one."""
        if vr == "UN":
            return known_bytes(data, path, data_set, self.root, self.limits)
        return vr, from_bytes(vr, data, path)

    def value_of_list(self, data_set: Dataset, path: ElementPath, vr: str, values: list[Any]) -> tuple[str, Any]:
        """Return VR and value for a list of values; VRs of bytes, except UN, allow only an empty list."""
        if vr not in BYTES:
            return vr, typed(vr, values, path)
        if vr != "UN" or not values or values == [None]:
            return vr, None
        self.note("BAD_VALUE", path, "values of an attribute whose VR is UN, which takes bytes")
        return known_values(values, path, data_set)

    def fetched_fragment(self, fetch: Fetch | None, vr: str, uri: str, path: ElementPath) -> bytes | None:
        """Fetch the bytes of a fragment of pixel data; without a handler, return None and report an issue."""
        data = self.fetched_value(fetch, vr, uri, path)
        if isinstance(data, Later):  # the fragments are joined here
            data = data.fetch()
        if data is not None and not isinstance(data, bytes):
            raise TypeError(f"{path}: bulk_data_uri_handler must return bytes for {vr}, not {type(data).__name__}")
        return data if fetch is None else data or b""

    def fetched_value(self, fetch: Fetch | None, vr: str, uri: str, path: ElementPath) -> Any:
        """Fetch the value of bulk data; without a handler, return an empty value and report an issue."""
        if fetch is None:
            self.note("BULK_DATA", path, f"the value is at {uri}, and no bulk_data_uri_handler was given; it is empty")
            return "" if vr in TEXTS else None
        value = fetch(f"{path.tag:08X}", vr, uri)
        if value is None:
            return "" if vr in TEXTS else None
        if isinstance(value, Later):
            data = value.fetch
            return Later(value.uri, lambda: from_bytes(vr, bytes(data()), path))
        if isinstance(value, bytes | bytearray | memoryview):
            return from_bytes(vr, bytes(value), path)
        if vr in BYTES:
            raise TypeError(f"{path}: bulk_data_uri_handler must return bytes for {vr}, not {type(value).__name__}")
        return typed(vr, list(value) if isinstance(value, list | tuple) else [value], path)
