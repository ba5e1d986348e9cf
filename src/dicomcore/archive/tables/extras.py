"""Columns that need more than the selected elements of a header: the hashes, and the map of all elements."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from dicomcore.archive.sources.place import Place
from dicomcore.archive.tables.columns import Columns
from dicomcore.archive.tables.lookup import all_texts
from dicomcore.archive.tables.row import MOST_ISSUES, issue_texts, read_data_set
from dicomcore.archive.tables.table import text_array
from dicomcore.dataset import Dataset
from dicomcore.tags import PIXEL_TAGS

__all__ = ["extra_arrays"]

CHUNK = 1 << 20
_Cells = tuple[dict[str, str] | None, str | None, list[str]]
"""All elements of a file, the hash of its pixel data, and its deviations."""


def extra_arrays(
    paths: Sequence[str], columns: Columns, failed: Container[int], issues: dict[int, list[str]]
) -> dict[str, pa.Array]:
    """The arrays of those of `elements`, `content_hash` and `pixel_hash` that the columns contain.

    They are null for rows that `failed`, whose files are not opened again, and for files that can't be read as far as
    the column needs. Deviations behind the header, such as truncated pixel data, are added to the row's `issues`: a
    hash of truncated data would pass for that of a whole file.
    """
    arrays: dict[str, pa.Array] = {}
    readable = [None if at in failed else path for at, path in enumerate(paths)]
    if columns.content_hash:
        arrays["content_hash"] = text_array([_tried(content_hash, path, columns.content_hash) for path in readable])
    if columns.pixel_hash or columns.has_map:
        cells: list[_Cells] = [_tried(_of_data_set, path, columns) or (None, None, []) for path in readable]
        arrays["pixel_hash"] = text_array([pixels for _, pixels, _ in cells])
        arrays["elements"] = _map_array([elements for elements, _, _ in cells])
        _add_issues(issues, [texts for _, _, texts in cells])
    return arrays


def _add_issues(issues: dict[int, list[str]], texts_of_rows: Sequence[list[str]]) -> None:
    for at, texts in enumerate(texts_of_rows):
        known = issues.get(at, [])
        new = [text for text in texts if text not in known]
        if new and len(known) < MOST_ISSUES:
            issues[at] = [*known, *new]


def _tried(read: Callable[..., Any], what: Any, *options: Any) -> Any:
    if what is None:
        return None
    try:
        return read(what, *options)
    except Exception:  # the row reports the error already, or its missing hash does
        return None


def content_hash(path: str, algorithm: str) -> str:
    """The hash of a file's bytes, in hexadecimal digits."""
    digest = hashlib.new(algorithm)
    if isinstance(path, Place):
        blob = path.open()
        for offset in range(0, blob.size, CHUNK):
            digest.update(blob.read_at(offset, min(CHUNK, blob.size - offset)))
    else:
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _of_data_set(path: str, columns: Columns) -> _Cells:
    data_set = read_data_set(path)
    elements = all_texts(data_set) if columns.has_map else None
    pixels = _tried(pixel_hash, data_set, columns.pixel_hash) if columns.pixel_hash else None
    deviating = issue_texts(issue for issue in data_set.issues if issue.code != "BAD_VALUE")
    return elements, pixels, deviating


def pixel_hash(data_set: Dataset, algorithm: str) -> str | None:
    """The hash of the pixel data as the file encodes it, in hexadecimal digits; None without pixel data.

    Of encapsulated pixel data only the frames' codestreams are hashed, so that neither their division into fragments
    nor the offset table matters.
    """
    element = next((data_set[tag] for tag in PIXEL_TAGS if tag in data_set), None)
    if element is None:
        return None
    digest = hashlib.new(algorithm)
    if element.is_undefined_length:
        frames = data_set.frames
        for i in range(len(frames)):
            digest.update(frames.encoded(i))
    else:
        digest.update(element.raw or b"")
    return digest.hexdigest()


def _map_array(maps: list[dict[str, str] | None]) -> pa.Array:
    keys = text_array([key for elements in maps for key in elements or ()])
    texts = text_array([text for elements in maps for text in (elements or {}).values()])
    starts = np.zeros(len(maps) + 1, np.int32)
    np.cumsum([len(elements or ()) for elements in maps], out=starts[1:])
    valid = np.packbits(np.array([elements is not None for elements in maps], bool), bitorder="little")
    kind = pa.map_(pa.string(), pa.string())
    entry = pa.struct([kind.key_field, kind.item_field])
    entries = pa.Array.from_buffers(entry, len(keys), [None], children=[keys, texts])
    return pa.Array.from_buffers(kind, len(maps), [pa.py_buffer(valid), pa.py_buffer(starts)], children=[entries])
