"""Write data sets as DICOM JSON, as text, indented text, lines or plain objects (PS3.18 Annex F)."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

from dicomcore._native.forms.json import write_json
from dicomcore.dataset.state import meta_of
from dicomcore.errors import EncodeError
from dicomcore.forms.attribute import attribute
from dicomcore.forms.json_parser import parse_json
from dicomcore.limits import Limits

if TYPE_CHECKING:
    from dicomcore.dataset import DataElement, Dataset

__all__ = ["BulkHandler", "to_header_json", "to_json", "to_json_dict", "write_json_lines"]

BulkHandler = Callable[["DataElement"], str]
OWN = Limits(depth=1 << 30)
"""Limits for our own text: its data set was bounded when it was read."""
TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{},:]|[^][{},:"]+')
"""Strings, punctuation marks, and the numbers and words between them."""


def to_json(
    data_set: Dataset,
    *,
    bulk_data_threshold: int = 1024,
    bulk_data_element_handler: BulkHandler | None = None,
    indent: int | None = None,
    file_meta: bool = False,
) -> str:
    """Write a data set as a DICOM JSON Model object, see `Dataset.to_json`."""
    meta = meta_of(data_set) if file_meta else None
    threshold = max(bulk_data_threshold, 0) // 4 * 3  # base64 writes three bytes as four characters
    try:
        text = write_json(data_set, meta, _members_after_vr, bulk_data_element_handler, threshold)
    except UnicodeError as error:
        raise EncodeError(f"text that is not Unicode: {error}") from error
    return text if indent is None else "".join(_indented(text, indent))


def to_header_json(data_set: Dataset, uri: str, most: int, added: tuple[int, str | None]) -> str:
    """Write a data set without its bulk data, for a service that gives it at URIs of its own.

    A binary value of more than `most` bytes is at `uri` with its tag, a slash, and its offset in the source. `added` is
    the tag and the JSON, if any, of an attribute that is written in its place, unless the data set has it.
    """
    try:
        return write_json(data_set, None, _members_after_vr, uri, most, *added)
    except UnicodeError as error:
        raise EncodeError(f"text that is not Unicode: {error}") from error


def to_json_dict(data_set: Dataset, **options: Any) -> dict[str, Any]:
    """Convert a data set to the DICOM JSON Model as dicts, lists, strings and numbers, see `Dataset.to_json_dict`."""
    return as_dict(to_json(data_set, **options))


def as_dict(text: str) -> dict[str, Any]:
    """Parse text that `to_json` wrote."""
    model: dict[str, Any] = parse_json(text, OWN)
    return model


def writable(data_set: Dataset) -> Dataset:
    """Copy a data set without the elements that cannot be written; warn of each of them."""
    copy = data_set.copy()
    for tag in [element.tag for element in data_set]:
        try:
            to_json(data_set[tag : tag + 1])
        except EncodeError as error:
            warnings.warn(f"left out of JSON: {error}", stacklevel=3)
            del copy[tag]
    return copy


def write_json_lines(data_sets: Iterable[Dataset], stream: IO[str], **options: Any) -> int:
    """Write data sets as JSON lines, one object per line; return their number.

    `options` are those of `Dataset.to_json`, except `indent`.
    """
    count = 0
    for data_set in data_sets:
        stream.write(to_json(data_set, **options))
        stream.write("\n")
        count += 1
    return count


def _members_after_vr(vr: str, value: Any) -> str:
    """Write the members after "vr" in an attribute object, for the values that native code does not write itself."""
    members = attribute(vr, value)
    del members["vr"]
    return "," + json.dumps(members, ensure_ascii=False, separators=(",", ":"))[1:-1] if members else ""


def _indented(text: str, indent: int) -> Iterator[str]:
    """Indent JSON that has no white space, with a line per member. Not recursive: data sets may be deeply nested."""
    depth, previous = 0, ""
    tokens = [*TOKENS.findall(text), ""]
    for token, following in pairwise(tokens):
        if token in "]}":
            depth -= 1
            if previous not in "[{":
                yield f"\n{' ' * indent * depth}"
        yield ": " if token == ":" else token
        if token in "[{":
            depth += 1
        if (token in "[{" and following not in "]}") or token == ",":
            yield f"\n{' ' * indent * depth}"
        previous = token
