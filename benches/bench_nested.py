"""Data sets of 3 000 nested items: to JSON, and from JSON, from XML and to pydicom as multiples of the time to JSON.

The items lie side by side in one sequence, in sequences of a few levels, and as deep as `Limits` allows. pydicom takes
its turns on the same input where it has the same function.
"""

from __future__ import annotations

import gc
import json
import struct
import sys
import warnings
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pydicom

import dicomcore as dc
from benches import inputs
from benches.passes import race_long
from benches.table import OURS, Row, markdown

warnings.simplefilter("ignore")

ITEMS = 3000
FRAME_ITEMS = 6
"""Items of one frame of `inputs.segmentation`."""
DEEPEST = 256
"""Sequences in each other that `Limits.depth` allows by default."""
REFERENCED_IMAGES, CONTENT = 0x00081140, 0x0040A730
MOST = 3.0
"""The aim: a reader takes at most this multiple of the time that `to_json` takes for the same data set."""


def side_by_side(items: int) -> bytes:
    """One sequence of references to images."""
    each = [
        inputs.element(0x00081150, "UI", inputs.CT_IMAGE)
        + inputs.element(0x00081155, "UI", f"1.2.826.0.1.3680043.10.1.3.{number}")
        + inputs.element(0x00200013, "IS", str(number))
        for number in range(items)
    ]
    return inputs.part10(inputs.CT_IMAGE, inputs.sequence(REFERENCED_IMAGES, each, True))


def of_some_depth(items: int) -> bytes:
    """The functional groups of a segmentation."""
    return inputs.segmentation(items // FRAME_ITEMS)


def as_deep_as_allowed(items: int) -> bytes:
    """Chains of sequences with one item each."""
    chains = []
    for chain in range(-(-items // DEEPEST)):
        content = b""
        for level in range(DEEPEST):
            number = inputs.element(0x00280010, "US", struct.pack("<H", level))
            name = inputs.element(0x00100010, "PN", f"Chain^{chain}")
            content = name + number + (inputs.sequence(CONTENT, [content], False) if level else b"")
        chains.append(inputs.sequence(REFERENCED_IMAGES + (chain << 17), [content], False))
    return inputs.part10(inputs.CT_IMAGE, b"".join(chains))


SHAPES: dict[str, Callable[[int], bytes]] = {
    "side by side": side_by_side,
    "a few levels": of_some_depth,
    f"{DEEPEST} levels": as_deep_as_allowed,
}


def check(ours: Any, text: str, document: str) -> None:
    """All ways round lead to the same model."""
    model = json.loads(text)
    assert json.loads(dc.Dataset.from_json(text).to_json()) == model, "from_json"
    assert json.loads(dc.Dataset.from_xml(document).to_json()) == model, "from_xml"
    assert json.loads(dc.from_pydicom(ours.to_pydicom()).to_json()) == model, "to_pydicom"


def shape_rows(shape: str, make: Callable[[int], bytes], items: int, rounds: int) -> list[Row]:
    """The rows of one shape."""
    data = make(items)
    ours, seen, theirs = dc.dcmread(data), dc.dcmread(data), pydicom.dcmread(BytesIO(data))
    text, document = ours.to_json(), seen.to_xml()  # which has looked at every item
    sys.setrecursionlimit(100_000)  # pydicom and the standard library's parser need it
    check(ours, text, document)
    gc.collect()
    gc.freeze()  # what is held for all contestants is not to be walked for any of them
    writing = race_long(None, {OURS: lambda _: ours.to_json(), "pydicom": lambda _: theirs.to_json()}, rounds)
    reading = race_long(
        None, {OURS: lambda _: dc.Dataset.from_json(text), "pydicom": lambda _: pydicom.Dataset.from_json(text)}, rounds
    )
    marking = race_long(None, {OURS: lambda _: dc.Dataset.from_xml(document)}, rounds)
    converting = race_long(
        None,
        {OURS: lambda _: ours.to_pydicom(), "pydicom, dcmread": lambda _: pydicom.dcmread(BytesIO(data))},
        rounds,
    )
    rows = [
        Row(f"{items} items, {shape}: {work}", best)
        for work, best in {
            "to_json": writing,
            "from_json": reading,
            "from_xml": marking,
            "to_pydicom": converting,
            "to_json, each item looked at": race_long(None, {OURS: lambda _: seen.to_json()}, rounds),
            "to_pydicom, each item looked at": race_long(None, {OURS: lambda _: seen.to_pydicom()}, rounds),
            "to_json of from_json": race_long(dc.Dataset.from_json(text), {OURS: lambda made: made.to_json()}, rounds),
        }.items()
    ]
    for row in rows[1:]:
        row.at_most(MOST, "× to_json", row.seconds[OURS] / writing[OURS])
    return rows


def rows(quick: bool = False) -> list[Row]:
    """All rows of the table."""
    items, rounds = (300, 2) if quick else (ITEMS, 7)
    return [row for shape, make in SHAPES.items() for row in shape_rows(shape, make, items, rounds)]


if __name__ == "__main__":
    print(markdown(rows("--quick" in sys.argv)))
