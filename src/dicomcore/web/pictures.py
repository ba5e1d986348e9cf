"""Pictures for rendered answers: cropped and scaled, with text on them, in the formats of PS3.18 8.7.4."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.display.png import png

__all__ = ["animated", "annotated", "encoded", "fitted", "has_pillow"]

Picture = NDArray[np.uint8]
QUALITY = 90
FINE = 80  # from this quality on, JPEG keeps colours in full resolution
CHUNK = 65519  # bytes of an ICC profile in one APP2 segment
NAME = b"ICC_PROFILE\0"
MARGIN = 4
J2K_DECIBELS = (30, 60)  # for qualities 1 and 99


def has_pillow() -> bool:
    """Whether Pillow is there, which writes text and animations."""
    return find_spec("PIL") is not None


def fitted(picture: Picture, width: int, height: int) -> Picture:
    """A picture scaled to the largest size within a viewport, in its own proportions."""
    rows, columns = picture.shape[:2]
    scale = min(width / columns, height / rows)
    target = max(round(rows * scale), 1), max(round(columns * scale), 1)
    if target == (rows, columns):
        return picture
    down, across = _weights(rows, target[0]), _weights(columns, target[1])
    planes = [picture] if picture.ndim == 2 else [picture[..., at] for at in range(picture.shape[2])]
    made = [np.clip(down @ plane.astype(np.float32) @ across.T + 0.5, 0, 255).astype(np.uint8) for plane in planes]
    return made[0] if picture.ndim == 2 else np.stack(made, axis=2)


def _weights(count: int, wanted: int) -> NDArray[np.float32]:
    """How much each of `count` samples counts in each of `wanted`: a triangle over the samples that it covers."""
    scale = count / wanted
    reach = max(scale, 1.0)
    centers = (np.arange(wanted, dtype=np.float32) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(count, dtype=np.float32)[None, :] - centers[:, None]) / reach
    weights = np.maximum(1 - distance, 0, dtype=np.float32)
    return weights / weights.sum(axis=1, keepdims=True)


def annotated(picture: Picture, lines: Sequence[str]) -> Picture:
    """A picture with lines of text in its upper left corner. Pillow is needed."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    drawing = ImageDraw.Draw(image)
    white = 255 if picture.ndim == 2 else (255, 255, 255)
    black = 0 if picture.ndim == 2 else (0, 0, 0)
    drawing.multiline_text(
        (MARGIN, MARGIN),
        "\n".join(lines),
        fill=white,
        stroke_width=1,
        stroke_fill=black,
    )
    return np.asarray(image)


def encoded(picture: Picture, media: str, quality: int | None = None, profile: bytes | None = None) -> bytes:
    """A picture as a file: image/jpeg, image/png, image/gif or image/jp2, with an ICC profile if it is given."""
    import imagecodecs

    picture = np.ascontiguousarray(picture)
    if media == "image/jpeg":
        level = QUALITY if quality is None else quality
        sampling = "444" if level >= FINE and picture.ndim == 3 else None
        data = bytes(imagecodecs.jpeg8_encode(picture, level=level, subsampling=sampling))
        return data if profile is None else _with_jpeg_profile(data, profile)
    if media == "image/png":
        data = png(picture)
        return data if profile is None else _with_png_profile(data, profile)
    if media == "image/jp2":
        decibels = None if quality is None or quality >= 100 else _decibels(quality)
        made = imagecodecs.jpeg2k_encode(picture, level=decibels, codecformat="JP2", reversible=decibels is None)
        return bytes(made)
    if media == "image/gif":
        return _gif([picture])
    raise ValueError(f"{media} is no format of pictures here")


def _decibels(quality: int) -> int:
    low, high = J2K_DECIBELS
    return low + (high - low) * (quality - 1) // 98


def _gif(pictures: Sequence[Picture], milliseconds: float = 0) -> bytes:
    if not has_pillow():
        import imagecodecs

        grey = pictures[0] if pictures[0].ndim == 2 else pictures[0].mean(axis=2).astype(np.uint8)
        return bytes(imagecodecs.gif_encode(np.ascontiguousarray(grey)))
    from PIL import Image

    images = [Image.fromarray(np.ascontiguousarray(one)) for one in pictures]
    held = io.BytesIO()
    more: dict[str, Any] = {}
    if len(images) > 1:
        more = {"save_all": True, "append_images": images[1:], "duration": max(milliseconds, 20), "loop": 0}
    images[0].save(held, "GIF", **more)
    return held.getvalue()


def animated(pictures: Sequence[Picture], milliseconds: float) -> bytes:
    """Pictures as an animation in GIF; without Pillow the first of them."""
    return _gif(pictures, milliseconds)


def _with_jpeg_profile(data: bytes, profile: bytes) -> bytes:
    """A JPEG with an ICC profile in APP2 segments (ISO 15076-1 Annex B), behind its APP0."""
    at = 2
    if data[2:4] == b"\xff\xe0":
        at = 4 + int.from_bytes(data[4:6], "big")
    pieces = [profile[start : start + CHUNK] for start in range(0, len(profile), CHUNK)]
    segments = b"".join(
        b"\xff\xe2" + struct.pack(">H", len(piece) + 16) + NAME + bytes((number, len(pieces))) + piece
        for number, piece in enumerate(pieces, 1)
    )
    return data[:at] + segments + data[at:]


def _with_png_profile(data: bytes, profile: bytes) -> bytes:
    """A PNG with an ICC profile in a chunk iCCP behind IHDR (ISO 15948 11.3.3.3)."""
    at = 8 + 12 + 13
    body = b"iCCP" + b"ICC profile\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:at] + chunk + data[at:]
