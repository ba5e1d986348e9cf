"""dcmread: read a data set from a path, bytes or a binary stream."""

from __future__ import annotations

from collections.abc import Iterable

from dicomcore._native.scan.index import Index
from dicomcore._native.scan.opener import open_index
from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import DATA_SET
from dicomcore.encoding.inflate import ALL_TAGS, inflated
from dicomcore.encoding.reading import raise_first
from dicomcore.encoding.sources import openable
from dicomcore.errors import InvalidDicomError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.tags import SPECIFIC_CHARACTER_SET, Tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from dicomcore.encoding.sources import Source
    from dicomcore.tags import TagLike

    Kind = TypeVar("Kind", bound=Dataset)

__all__ = ["dcmread", "open_source", "read_as", "unforced", "without_force"]


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

    Deviations from the standard are listed in ``Dataset.issues``, and the rest is read, unless `strict`.

    Parameters
    ----------
    src : path, bytes-like, binary stream, or object with `size` and ``read_at(offset, length)``
        The input. Paths and objects with `read_at` are read lazily: the elements are indexed, and a value is read and
        decoded when it is first used. If the file has changed by then, that raises an error. A stream is read at once
        from its position to its end, or, with `stop_before_pixels`, to its pixel data, where it then stands; a stream
        that is already at its end is refused.
    defer_size : str or float, optional
        Ignored; accepted for code written for pydicom.
    stop_before_pixels : bool
        Omit pixel data and all elements that follow it.
    force : bool
        Read an input without DICM prefix and file meta information as a bare data set.
    specific_tags : iterable of tags, optional
        Read only these top-level elements and Specific Character Set. Reading stops at the first tag that is higher
        than all of them, so that elements out of ascending order (PS3.5 7.1) may be missed.
    strict : bool
        Raise for the first deviation of the data set, and, when a frame is decoded, for deviations of the frame. The
        same as ``Limits(strict=True)``.
    limits : Limits, optional
        Bounds on what is accepted from the input.

    Returns
    -------
    Dataset

    Raises
    ------
    InvalidDicomError
        The input is not DICOM.
    LimitError
        The input exceeds `limits`.
    TruncatedError, ParseError
        The input deviates from the standard, if `strict`.
    OSError
        As open() raises it.
    """
    limits = DEFAULT_LIMITS if limits is None else limits
    if strict and not limits.strict:
        limits = limits.__replace__(strict=True)
    if specific_tags is None and type(src) is str:  # the same as below, without its steps: this is the usual call
        index = open_index(src, limits=limits, force=force, stop_before_pixels=stop_before_pixels)
        data_set = make_dataset(Dataset, inflated(index, limits) if index.deflated else index, DATA_SET)
        if limits.strict:
            raise_first(data_set)
        return data_set
    return read_as(
        Dataset, src, limits, stop_before_pixels=stop_before_pixels, force=force, specific_tags=specific_tags
    )


def read_as(
    cls: type[Kind],
    src: Source,
    limits: Limits,
    *,
    stop_before_pixels: bool = False,
    force: bool = False,
    specific_tags: Iterable[TagLike] | None = None,
) -> Kind:
    """The data set of a source as a `cls`; its `__init__` is not called. The options are those of `dcmread`."""
    if stop_before_pixels and hasattr(src, "read") and not hasattr(src, "read_at"):
        from dicomcore.part10.heads import head_of

        src = head_of(src, limits, force)  # type: ignore[arg-type]
    wanted, stop_tag = None, ALL_TAGS
    if specific_tags is not None:
        wanted = frozenset([int(Tag(tag)) for tag in specific_tags]) | {int(SPECIFIC_CHARACTER_SET)}
        stop_tag = max(wanted) + 1
    index = open_source(
        src, limits=limits, force=force, stop_before_pixels=stop_before_pixels, stop_tag=min(stop_tag, ALL_TAGS)
    )
    data_set = make_dataset(cls, index, DATA_SET, wanted)
    if limits.strict:
        raise_first(data_set)
    return data_set


class _Unforced:
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InvalidDicomError):
            error.args = (without_force(str(error)),)


def unforced() -> _Unforced:
    """Remove the advice to pass `force` from errors, for functions that have no such option."""
    return _Unforced()


def without_force(text: str) -> str:
    """The text of an error without the advice to pass `force`."""
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
    """The index of a source; of a deflated data set, the index of the inflated bytes."""
    index = open_index(
        src if type(src) is str else openable(src, "dcmread"),
        limits=limits,
        force=force,
        stop_before_pixels=stop_before_pixels,
        stop_tag=stop_tag,
        whole=whole,
    )
    return inflated(index, limits, stop_tag) if index.deflated else index
