"""Pictures written as files: PNG, JPEG, a strip of several, films, and secondary captures."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.display.png import png
from dicomcore.files import write_bytes

__all__ = ["FILMS", "FORMATS", "STILLS", "alike", "strip", "write_capture", "write_film", "write_still"]

STILLS, FILMS = (".png", ".jpg", ".jpeg"), (".gif", ".mp4")
FORMATS = (*STILLS, *FILMS, ".dcm")
GAP = 4  # pixels between the pictures of a strip
QUALITY = 92


def alike(pictures: Iterable[NDArray[Any]], shape: tuple[int, int], coloured: bool) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures in 8 bits, all of one size, black around smaller ones, and all in colour or in grey."""
    for picture in pictures:
        eight = picture if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)
        if coloured and eight.ndim == 2:
            eight = np.repeat(eight[..., None], 3, axis=2)
        rows, columns = eight.shape[:2]
        if (rows, columns) != shape:
            around = np.zeros((*shape, *eight.shape[2:]), np.uint8)
            top, left = (shape[0] - rows) // 2, (shape[1] - columns) // 2
            around[top : top + rows, left : left + columns] = eight
            eight = around
        yield eight


def strip(pictures: Sequence[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    """Return pictures of one size side by side, in rows of `columns`."""
    rows, wide = pictures[0].shape[:2]
    down = -(-len(pictures) // columns)
    shape = (down * (rows + GAP) - GAP, columns * (wide + GAP) - GAP, *pictures[0].shape[2:])
    whole = np.zeros(shape, np.uint8)
    for place, picture in enumerate(pictures):
        top, left = place // columns * (rows + GAP), place % columns * (wide + GAP)
        whole[top : top + rows, left : left + wide] = picture
    return whole


def write_still(target: Path, picture: NDArray[Any]) -> None:
    """Write one picture as PNG, in 8 or 16 bits, or as JPEG."""
    if target.suffix.lower() == ".png":
        write_bytes(target, png(picture))
        return
    out = io.BytesIO()
    eight = picture if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)
    _pillow().fromarray(eight).save(out, "JPEG", quality=QUALITY)
    write_bytes(target, out.getvalue())


def write_film(target: Path, pictures: Iterator[NDArray[np.uint8]], rate: float) -> None:
    """Write pictures of one size, 2 × 2 pixels at least, as GIF or MP4, `rate` in a second."""
    if target.suffix.lower() == ".gif":
        frames = [_pillow().fromarray(picture) for picture in pictures]
        out = io.BytesIO()
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=max(1000 / rate, 10), loop=0)
        write_bytes(target, out.getvalue())
        return
    write_bytes(target, _mp4(pictures, rate))


def _mp4(pictures: Iterator[NDArray[np.uint8]], rate: float) -> bytes:
    """Encode a film in H.264 with 4:2:0 chroma, for which the size is made even."""
    try:
        import av
    except ImportError:
        message = 'an MP4 file needs PyAV; pip install "dicomcore[video]" brings it'
        raise ModuleNotFoundError(message, name="av") from None
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as film:
        stream: Any = None
        for picture in pictures:
            rows, columns = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
            if stream is None:
                stream = film.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000))
                stream.height, stream.width, stream.pix_fmt, stream.options = rows, columns, "yuv420p", {"crf": "18"}
            kind = "gray" if picture.ndim == 2 else "rgb24"
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:rows, :columns]), kind)))
        film.mux(stream.encode())
    return out.getvalue()


def write_capture(
    target: Path, pictures: Sequence[NDArray[np.uint8]], sources: Sequence[Dataset], **options: Any
) -> None:
    """Write pictures of one size as a secondary capture."""
    from dicomcore.objects.make_capture import make_capture
    from dicomcore.part10.writer import dcmwrite

    dcmwrite(target, make_capture(pictures, sources, **options))


def _pillow() -> Any:
    from dicomcore.display.icc import needs_picture

    try:
        from PIL import Image
    except ImportError:
        raise needs_picture("a JPEG or GIF file") from None
    return Image
