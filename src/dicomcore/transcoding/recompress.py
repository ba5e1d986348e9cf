"""JPEG into JPEG XL and back, bit by bit; in a worker process where the limits say so."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from dicomcore.limits import Limits

__all__ = ["from_jpeg_xl", "to_jpeg_xl"]


def to_jpeg_xl(jpeg: Any, limits: Limits) -> bytes:
    """The JPEG XL file that a JPEG codestream, up to its last byte, can be had back from."""
    return _run(_encode, jpeg, limits)


def from_jpeg_xl(coded: Any, limits: Limits) -> bytes:
    """The JPEG codestream that a JPEG XL file was made of."""
    return _run(_decode, coded, limits)


def _run(rewrite: Callable[[Any], bytes], data: Any, limits: Limits) -> bytes:
    if not limits.isolate:
        return rewrite(data)
    from dicomcore.pixels.isolation import rewrite_apart

    return rewrite_apart(rewrite, memoryview(data), limits)


def _encode(data: Any) -> bytes:
    return bytes(import_module("imagecodecs").jpegxl_encode_jpeg(data, usecontainer=True, numthreads=1))


def _decode(data: Any) -> bytes:
    return bytes(import_module("imagecodecs").jpegxl_decode_jpeg(data, numthreads=1))
