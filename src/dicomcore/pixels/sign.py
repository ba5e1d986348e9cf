"""Update values of VR "US or SS" (PS3.6), such as padding and LUT descriptors, when Pixel Representation changes."""

from __future__ import annotations

from typing import Any, NamedTuple

from dicomcore.dataset import Dataset, Sequence
from dicomcore.dataset.lookup import number_of
from dicomcore.dictionary import dictionary_VR

__all__ = ["SignDependent"]

Path = tuple[tuple[int, int], ...]  # (tag of the sequence, place of the item) for each level
VOI_LUT_SEQUENCE, MODALITY_LUT_SEQUENCE = 0x00283010, 0x00283000
DESCRIPTORS = frozenset(
    (0x00283002, 0x00281100, 0x00281101, 0x00281102, 0x00281103, 0x00281111, 0x00281112, 0x00281113)
)
"""LUT descriptors: number of entries and bits are unsigned in any VR, the first value mapped is a pixel value."""


class OldValue(NamedTuple):
    """A value from before Pixel Representation changed, and the path and tag of its element."""

    path: Path
    tag: int
    value: Any


class SignDependent:
    """Reads the "US or SS" values of a data set; `put` sets them again after Pixel Representation has changed.

    Items with their own Pixel Representation (icons) stay untouched. So do VOI LUTs after a modality transformation, as
    their input is not a stored value.
    """

    def __init__(self, ds: Dataset) -> None:
        self._old_values: list[OldValue] = []
        transformed = bool(ds.get("ModalityLUTSequence")) or number_of(ds, "RescaleSlope") is not None
        pending: list[tuple[Path, Dataset]] = [((), ds)]
        while pending:
            path, level = pending.pop()
            for element in level:
                tag = int(element.tag)
                if element.VR == "SQ":
                    if not (tag == VOI_LUT_SEQUENCE and transformed):
                        pending += [
                            ((*path, (tag, i)), item)
                            for i, item in enumerate(element.value or ())
                            if "PixelRepresentation" not in item
                        ]
                elif element.VR in ("US", "SS") and not tag >> 16 & 1 and dictionary_VR(tag) == "US or SS":
                    self._old_values.append(OldValue(path, tag, element.value))

    def put(self, ds: Dataset, signed: bool, low: int, high: int) -> None:
        """Set the values in the VR now required, US or SS; delete those outside its range or that of the pixels' words.

        `low` and `high` are the least and the greatest value of a pixel's word. A table whose first value mapped no
        longer fits loses its whole item.
        """
        levels: dict[Path, Dataset] = {(): ds}
        least, most = (-0x8000, 0x7FFF) if signed else (0, 0xFFFF)
        for old in self._old_values:
            value = _as_word(old, signed)
            values = value if isinstance(value, list) else [value]
            checked = values[1:2] if old.tag in DESCRIPTORS else values
            level = _level(levels, old.path)
            fits = all(isinstance(number, int) and least <= number <= most for number in checked)
            if fits and (old.tag in DESCRIPTORS or all(low <= number <= high for number in checked)):
                level.add_new(old.tag, "SS" if signed else "US", value)
            else:
                del level[old.tag]
        _drop_tables(levels)


def _as_word(old: OldValue, signed: bool) -> Any:
    """The value; in a descriptor, the unsigned number of entries is expressed in the VR now required."""
    if old.tag not in DESCRIPTORS or not isinstance(old.value, list) or len(old.value) != 3:
        return old.value
    entries, first, bits = old.value
    entries &= 0xFFFF
    return [entries - 0x10000 if signed and entries > 0x7FFF else entries, first, bits]


def _level(levels: dict[Path, Dataset], path: Path) -> Dataset:
    """The item at a path, replaced by a copy, as other data sets may share the item."""
    for depth in range(1, len(path) + 1):
        here = path[:depth]
        if here not in levels:
            parent, (tag, place) = levels[path[: depth - 1]], path[depth - 1]
            items = list(parent[tag].value)
            items[place] = levels[here] = items[place].copy()
            parent.add_new(tag, "SQ", Sequence(items))
    return levels[path]


def _drop_tables(levels: dict[Path, Dataset]) -> None:
    """Remove items that lost their descriptor from look-up table sequences, and sequences left empty."""
    for path, level in levels.items():
        for tag in (MODALITY_LUT_SEQUENCE, VOI_LUT_SEQUENCE):
            items = level[tag].value if tag in level else ()
            if not any((*path, (tag, i)) in levels for i in range(len(items))):
                continue  # none of them was touched
            left = [item for item in items if "LUTDescriptor" in item]
            if left:
                level.add_new(tag, "SQ", Sequence(left))
            else:
                del level[tag]
