"""DICOM JSON as text and as plain objects: a data set's, and documents laid out for people (PS3.18 Annex F)."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

from dicomcore._native.forms.json import write_json
from dicomcore.errors import EncodeError
from dicomcore.forms.attribute import attribute
from dicomcore.forms.json_parser import parse_json
from dicomcore.limits import Limits

if TYPE_CHECKING:
    from dicomcore.dataset import DataElement, Dataset

__all__ = ["BulkHandler", "to_json", "to_json_dict", "write_json_lines"]

BulkHandler = Callable[["DataElement"], str]
OWN = Limits(depth=1 << 30)
"""For text of our own, which was bounded when its data set was read."""
TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{},:]|[^][{},:"]+')
"""Strings, single marks, and what stands between: numbers and words."""


def to_json(
    data_set: Dataset,
    *,
    bulk_data_threshold: int = 1024,
    bulk_data_element_handler: BulkHandler | None = None,
    indent: int | None = None,
    file_meta: bool = False,
) -> str:
    """A data set as a DICOM JSON Model object, see `Dataset.to_json`."""
    meta = data_set.file_meta if file_meta else None
    most = max(bulk_data_threshold, 0) // 4 * 3  # base64 takes four characters for three bytes
    try:
        text = write_json(data_set, meta, _odd, bulk_data_element_handler, most)
    except UnicodeError as error:
        raise EncodeError(f"text that is no Unicode: {error}") from error
    return text if indent is None else "".join(_laid_out(text, indent))


def to_json_dict(data_set: Dataset, **options: Any) -> dict[str, Any]:
    """The same as plain dicts, lists, strings and numbers, see `Dataset.to_json_dict`."""
    return as_dict(to_json(data_set, **options))


def as_dict(text: str) -> dict[str, Any]:
    """Text that `to_json` gave, as plain objects."""
    model: dict[str, Any] = parse_json(text, OWN)
    return model


def writable(data_set: Dataset) -> Dataset:
    """A copy without the elements that can't be written, each of which is warned of."""
    made = data_set.copy()
    for tag in [element.tag for element in data_set]:
        try:
            to_json(data_set[tag : tag + 1])
        except EncodeError as error:
            warnings.warn(f"left out of JSON: {error}", stacklevel=3)
            del made[tag]
    return made


def write_json_lines(data_sets: Iterable[Dataset], stream: IO[str], **options: Any) -> int:
    """Write data sets as JSON lines, one object a line, with the options of `to_json`; how many they were."""
    count = 0
    for data_set in data_sets:
        stream.write(to_json(data_set, **options))
        stream.write("\n")
        count += 1
    return count


def _odd(vr: str, value: Any) -> str:
    """What follows the VR in the attribute object of a value that native code leaves to us."""
    made = attribute(vr, value)
    del made["vr"]
    return "," + json.dumps(made, ensure_ascii=False, separators=(",", ":"))[1:-1] if made else ""


def _laid_out(text: str, indent: int) -> Iterator[str]:
    """JSON without white space, with a line for each member; no recursion, as the data set says how deep it goes."""
    depth, before = 0, ""
    tokens = [*TOKENS.findall(text), ""]
    for token, following in pairwise(tokens):
        if token in "]}":
            depth -= 1
            if before not in "[{":
                yield f"\n{' ' * indent * depth}"
        yield ": " if token == ":" else token
        if token in "[{":
            depth += 1
        if (token in "[{" and following not in "]}") or token == ",":
            yield f"\n{' ' * indent * depth}"
        before = token
