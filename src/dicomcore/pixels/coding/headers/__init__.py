"""Codestream headers, read before a foreign library decodes the codestream."""

from dicomcore.pixels.coding.headers.info import CodestreamInfo
from dicomcore.pixels.coding.headers.j2k import end_of_tile_parts, read_j2k
from dicomcore.pixels.coding.headers.jpeg import read_jpeg
from dicomcore.pixels.coding.headers.jxl import read_jxl
from dicomcore.pixels.coding.headers.signature import SIGNATURE_BYTES, format_by_signature

__all__ = [
    "SIGNATURE_BYTES",
    "CodestreamInfo",
    "end_of_tile_parts",
    "format_by_signature",
    "read_j2k",
    "read_jpeg",
    "read_jxl",
]
