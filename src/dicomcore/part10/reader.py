"""dcmread: a data set from a path, bytes or a binary stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from dicomcore._native.scan.index import Index
from dicomcore._native.scan.opener import open_index
from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import DATA_SET
from dicomcore.encoding.inflate import ALL_TAGS, inflated
from dicomcore.encoding.reading import raise_first
from dicomcore.encoding.sources import Source, at_hand
from dicomcore.errors import InvalidDicomError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.tags import SPECIFIC_CHARACTER_SET, Tag, TagLike

__all__ = ["dcmread", "open_source", "unforced", "without_force"]


def dcmread(
    src: Source,
    defer_size: str | float | None = None,
    stop_before_pixels: bool = False,
    force: bool = False,
    specific_tags: Iterable[TagLike] | None = None,
    *,
    strict: bool = False,
    limits: Limits | None = None,
) -> Dataset:
    """Read a DICOM file or data set (PS3.10 7, PS3.5 7).

    `src` is a path, bytes-like, or a binary stream, which is read from where it stands to its end; one that stands at
    its end already is refused. A path (or any object with `size` and ``read_at(offset, length)``) is read lazily: the
    header is indexed, values are decoded when asked for, and what is large stays on disk until then; a file that
    changes meanwhile is an error then.
    `defer_size` is taken as pydicom's programs give it, and changes nothing.
    `stop_before_pixels` leaves out pixel data and what follows.
    `specific_tags` gives these top-level elements alone (and Specific Character Set), and stops reading at the
    first tag above them all: what stands further back, against the ascending order (PS3.5 7.1), isn't found.
    `force` takes input without DICM prefix and file meta information for a bare data set. `strict` raises for the
    first deviation, where otherwise all are kept in ``Dataset.issues``; it goes on to the data set's frames, which
    raise PixelDecodeError for theirs when they are decoded. ``Limits(strict=True)`` says the same. `limits` bounds what
    is taken from the input.

    Raises InvalidDicomError for what is not DICOM, LimitError beyond `limits`, TruncatedError and ParseError (when
    strict), and OSError as open() does.
    """
    limits = DEFAULT_LIMITS if limits is None else limits
    if strict and not limits.strict:
        limits = replace(limits, strict=True)
    wanted, stop_tag = None, ALL_TAGS
    if specific_tags is not None:
        wanted = frozenset([int(Tag(tag)) for tag in specific_tags]) | {int(SPECIFIC_CHARACTER_SET)}
        stop_tag = max(wanted) + 1
    index = open_source(
        src, limits=limits, force=force, stop_before_pixels=stop_before_pixels, stop_tag=min(stop_tag, ALL_TAGS)
    )
    data_set = make_dataset(Dataset, index, DATA_SET, wanted)
    if limits.strict:
        raise_first(data_set)
    return data_set


@contextmanager
def unforced() -> Iterator[None]:
    """For functions without the option `force`: their error doesn't advise it."""
    try:
        yield
    except InvalidDicomError as error:
        error.args = (without_force(str(error)),)
        raise


def without_force(text: str) -> str:
    """An error's text without the advice to give `force`."""
    return text.partition("; force=True")[0]


def open_source(
    src: Source,
    *,
    limits: Limits,
    force: bool = False,
    stop_before_pixels: bool = False,
    stop_tag: int = ALL_TAGS,
    whole: bool = False,
) -> Index:
    """The index of any kind of source, inflated where it is deflated."""
    index = open_index(
        at_hand(src, "dcmread"),
        limits=limits,
        force=force,
        stop_before_pixels=stop_before_pixels,
        stop_tag=stop_tag,
        whole=whole,
    )
    return inflated(index, limits, stop_tag)
