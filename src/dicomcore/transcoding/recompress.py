"""JPEG into JPEG XL and back without loss; in a worker process if the limits ask for isolation."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from dicomcore.limits import Limits

__all__ = ["from_jpeg_xl", "to_jpeg_xl"]


def to_jpeg_xl(jpeg: Any, limits: Limits) -> bytes:
    """The JPEG XL file from which a JPEG codestream, which ends with its last byte, can be restored."""
    return _run(_encode, jpeg, limits)


def from_jpeg_xl(coded: Any, limits: Limits) -> bytes:
    """The JPEG codestream from which a JPEG XL file was made."""
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
