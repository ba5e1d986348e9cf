"""pydicom.pixels.utils."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dicomcore.interop.pydicom.names.dataset import Dataset
from dicomcore.interop.pydicom.names.filereader import dcmread
from dicomcore.tags import PIXEL_TAGS, SPECIFIC_CHARACTER_SET

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["iter_pixels", "pixel_array", "refuse_options"]

WITHOUT_EFFECT = frozenset(
    (
        "allow_excess_frames",
        "as_rgb",
        "correct_unused_bits",
        "decoding_plugin",
        "use_pdh",
        "use_v2_backend",
        "view_only",
    )
)
"""Options that choose a way and not a result; `as_rgb` only where it is True."""


def pixel_array(
    src: Any,
    *,
    ds_out: Any = None,
    specific_tags: Any = None,
    index: int | None = None,
    raw: bool = False,
    decoding_plugin: str = "",
    **kwargs: Any,
) -> NDArray[Any]:
    """All frames of a data set, path or stream, or the frame at `index`, as `Dataset.pixel_array`.

    Parameters
    ----------
    src : Dataset, path or binary stream
        Where the pixel data is.
    ds_out : Dataset, optional
        Gets the elements of group 0028 and those of `specific_tags`, if `src` is no data set.
    specific_tags : iterable of tags, optional
        Further elements for `ds_out`.
    index : int, optional
        The frame; by default all frames.
    raw : bool
        Leave out the conversion of colours.
    decoding_plugin : str
        Ignored: dicomcore decodes.

    A stream is left at its position.

    Raises
    ------
    NotImplementedError
        Another option of pydicom's was given.
    AttributeError
        There is no pixel data.
    ValueError
        There is no frame at `index`.
    """
    with _opened(src, ds_out, specific_tags, kwargs) as frames:
        if index is not None:
            return frames.decode(_checked(index, frames), raw=raw)
        if raw:
            import numpy as np

            made = [frames.decode(i, raw=True) for i in range(len(frames))]
            return np.stack(made) if len(made) > 1 else made[0]
        return frames.kept_array()


def iter_pixels(
    src: Any,
    *,
    ds_out: Any = None,
    specific_tags: Any = None,
    indices: Iterable[int] | None = None,
    raw: bool = False,
    decoding_plugin: str = "",
    **kwargs: Any,
) -> Iterator[NDArray[Any]]:
    """The frames of a data set, path or stream, one after the other, or those at `indices`.

    Parameters
    ----------
    src, ds_out, specific_tags, raw, decoding_plugin
        As in `pixel_array`.
    indices : iterable of int, optional
        The frames, in this order.

    Raises
    ------
    NotImplementedError, AttributeError, ValueError
        As `pixel_array`.
    """
    with _opened(src, ds_out, specific_tags, kwargs) as frames:
        for index in range(len(frames)) if indices is None else indices:
            yield frames.decode(_checked(index, frames), raw=raw)


@contextmanager
def _opened(src: Any, ds_out: Any, specific_tags: Any, options: dict[str, Any]) -> Iterator[Any]:
    """The frames of a source, which is left at its position if it is a stream; `ds_out` gets what it is to get."""
    refuse_options(options)
    if isinstance(src, Dataset):
        yield _frames(src)
        return
    position = src.tell() if hasattr(src, "tell") else None
    data_set: Any = dcmread(src)
    if ds_out is not None:
        _hand_over(data_set, ds_out, specific_tags)
    yield _frames(data_set)
    if position is not None:
        src.seek(position)


def _frames(data_set: Any) -> Any:
    if not any(tag in data_set for tag in PIXEL_TAGS):
        raise AttributeError("The dataset has no Pixel Data, Float Pixel Data or Double Float Pixel Data element")
    return data_set.frames


def _checked(index: int, frames: Any) -> int:
    """The number of a frame; ValueError if there is none with it."""
    if not 0 <= index < len(frames):
        raise ValueError(f"There is no frame at index {index}: there are {len(frames)} frames")
    return index


def _hand_over(data_set: Any, ds_out: Any, specific_tags: Any) -> None:
    """Put the elements that `pixel_array` promises into another data set."""
    wanted = {int(tag) for tag in specific_tags or ()} | {int(SPECIFIC_CHARACTER_SET)}
    for element in data_set.group_dataset(0x0028):
        ds_out[element.tag] = element
    for tag in wanted:
        if tag in data_set:
            ds_out[tag] = data_set[tag]
    ds_out.file_meta = data_set.file_meta


def refuse_options(options: dict[str, Any]) -> None:
    """Raise NotImplementedError for an option that would change the pixels."""
    for name, value in options.items():
        if name not in WITHOUT_EFFECT or (name == "as_rgb" and not value):
            raise NotImplementedError(
                f"dicomcore has no option {name}={value!r} for pixels: frames.decode(index, raw=True) gives them before"
                " the conversion of colours (docs/from-pydicom.md)"
            )
