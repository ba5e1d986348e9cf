"""Codestream headers, read here before a foreign library sees them."""

from dicomcore.pixels.headers.info import CodestreamInfo
from dicomcore.pixels.headers.j2k import end_of_tile_parts, read_j2k
from dicomcore.pixels.headers.jpeg import read_jpeg
from dicomcore.pixels.headers.jxl import read_jxl

__all__ = ["CodestreamInfo", "end_of_tile_parts", "read_j2k", "read_jpeg", "read_jxl"]
