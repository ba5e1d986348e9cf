"""Ultrasound regions: what lies outside of them is the device's own frame, with the patient's name (C.8.5.5)."""

from __future__ import annotations

from typing import Any

from dicomcore.dataset.lookup import items_of, number_of
from dicomcore.deid.pixels.rectangles import Rectangle, outside_of

__all__ = ["outside_regions", "regions_of"]

CORNERS = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")


def regions_of(data_set: Any, rows: int, columns: int) -> list[Rectangle]:
    """The regions of Sequence of Ultrasound Regions; empty where it is missing, or where a region makes no sense.

    The last column and row belong to a region (C.8.5.5.1.1). Regions that overlap, or that reach one pixel over the
    edge, as some devices write them, are taken as they are; a region without area, or outside of the picture, makes all
    of them doubtful.
    """
    found = []
    for item in items_of(data_set, "SequenceOfUltrasoundRegions"):
        corners = [number_of(item, keyword) for keyword in CORNERS]
        if any(corner is None for corner in corners):
            return []
        left, top, right, bottom = (int(corner) for corner in corners if corner is not None)
        if not (0 <= left < right <= columns and 0 <= top < bottom <= rows):
            return []
        found.append(Rectangle(left, top, right - left + 1, bottom - top + 1))
    return found


def outside_regions(data_set: Any, rows: int, columns: int) -> list[Rectangle]:
    """What is to be blanked so that only the regions stay; nothing where there are no usable regions."""
    regions = regions_of(data_set, rows, columns)
    return outside_of(regions, rows, columns) if regions else []
