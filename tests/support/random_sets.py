"""Random valid data sets for hypothesis: every VR, nested, with text of all kinds."""

from __future__ import annotations

import struct
from typing import Any

import pydicom.datadict
from hypothesis import strategies as st

import dicomcore as dc


def single(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


# No backslash, which separates values; no spaces or = at the ends, which are padding; only valid Unicode.
CHARACTERS = st.characters(codec="utf-8", exclude_characters="\\=\0")
LINES = st.characters(codec="utf-8", exclude_characters="\0")
WORDS = st.text(CHARACTERS, max_size=12).map(lambda text: text.strip(" "))
PARAGRAPHS = st.text(LINES, max_size=40).map(lambda text: text.rstrip(" \0"))
NAMES = st.lists(WORDS, min_size=1, max_size=3).map(lambda groups: dc.PersonName("=".join(groups).rstrip("=")))


def whole(bits: int, signed: bool) -> st.SearchStrategy[int]:
    return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) if signed else st.integers(0, (1 << bits) - 1)


ONE: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DT", "LO", "SH", "TM", "UC"), WORDS),
    "UI": st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,4}){1,5}", fullmatch=True).map(dc.UID),
    "PN": NAMES,
    "AT": st.integers(0, (1 << 32) - 1).map(dc.Tag),
    "DS": st.floats(allow_nan=False, allow_infinity=False),
    "IS": st.integers(-(1 << 70), 1 << 70),
    "FL": st.floats(width=32),
    "FD": st.floats(),
    "US": whole(16, False),
    "SS": whole(16, True),
    "UL": whole(32, False),
    "SL": whole(32, True),
    "UV": whole(64, False),
    "SV": whole(64, True),
}
ALONE: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("LT", "ST", "UR", "UT"), PARAGRAPHS),
    **{
        vr: st.binary(max_size=6).map(lambda data, width=width: data * width or None)
        for vr, width in {"OB": 1, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "UN": 1}.items()
    },
}
EMPTY = {"AE", "AS", "CS", "DA", "DT", "LO", "SH", "TM", "UC", "UI", "PN"}
TAGS = st.integers(0x00080001, 0x7FE0FFFF).filter(lambda tag: tag & 0xFFFF and tag >> 16 & 1 == 0)


def is_unknown(tag: int) -> bool:
    """Whether no dictionary has the tag: a UN with a known tag is read by the dictionary's VR (PS3.5 6.2.2)."""
    try:
        pydicom.datadict.get_entry(tag)
    except KeyError:
        return True
    return False


@st.composite
def elements(draw: st.DrawFn) -> dc.DataElement:
    vr = draw(st.sampled_from(sorted(ONE.keys() | ALONE.keys())))
    if vr == "UN":
        return dc.DataElement(draw(TAGS.filter(is_unknown)), vr, draw(ALONE[vr]))
    if vr in ALONE:
        return dc.DataElement(draw(TAGS), vr, draw(ALONE[vr]))
    values = draw(st.lists(ONE[vr], max_size=4))
    if not values:
        return dc.DataElement(draw(TAGS), vr, "" if vr in EMPTY else None)
    return dc.DataElement(draw(TAGS), vr, values if len(values) > 1 else values[0])


def data_sets() -> st.SearchStrategy[dc.Dataset]:
    """Data sets of a few elements, some of them sequences."""
    plain = st.lists(elements(), max_size=6).map(dc.Dataset)

    def around(inner: st.SearchStrategy[dc.Dataset]) -> st.SearchStrategy[dc.Dataset]:
        sequences = st.builds(dc.DataElement, TAGS, st.just("SQ"), st.lists(inner, max_size=3))
        return st.lists(st.one_of(elements(), sequences), max_size=5).map(dc.Dataset)

    return st.recursive(plain, around, max_leaves=6)
