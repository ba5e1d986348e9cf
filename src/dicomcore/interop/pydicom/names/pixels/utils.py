"""pydicom.pixels.utils."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dicomcore.interop.pydicom.names.dataset import Dataset
from dicomcore.interop.pydicom.names.filereader import dcmread

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["iter_pixels", "pixel_array"]


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
    """All frames of a data set, path or stream, or the frame at `index`, as `Dataset.pixel_array`."""
    data_set = src if isinstance(src, Dataset) else dcmread(src)
    frames = data_set.frames
    if index is not None:
        return frames.decode(index, raw=raw)
    if raw:
        import numpy as np

        made = [frames.decode(i, raw=True) for i in range(len(frames))]
        return np.stack(made) if len(made) > 1 else made[0]
    return data_set.pixel_array


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
    """The frames of a data set, path or stream, one after the other."""
    data_set = src if isinstance(src, Dataset) else dcmread(src)
    frames = data_set.frames
    for index in range(len(frames)) if indices is None else indices:
        yield frames.decode(index, raw=raw)
