"""The generated table of attributes that rules look for."""

from __future__ import annotations

import pytest

from tools.standard.__main__ import TABLES
from tools.standard.checked import BITS, FACTOR, hashed, header, looked_for, slots, zeros
from tools.standard.place import folder

SOURCES = folder()


def test_names() -> None:
    assert slots() == (TABLES / "../../check/slots.pxd").read_text(encoding="ascii")
    assert len(looked_for()) < 256  # places fit a byte


@pytest.mark.skipif(not (SOURCES / "values.json").is_file(), reason="the standard's tables are not here")
def test_header() -> None:
    assert header(SOURCES) == (TABLES / "checked.h").read_text(encoding="ascii")


@pytest.mark.skipif(not (SOURCES / "values.json").is_file(), reason="the standard's tables are not here")
def test_each_tag_is_found_soon() -> None:
    tags = sorted({*looked_for(), *zeros(SOURCES)})
    table = hashed(tags)
    for place, tag in enumerate(tags):
        at = (tag * FACTOR & 0xFFFFFFFF) >> (32 - BITS)
        steps = 0
        while table[at] != place + 1:
            assert table[at]
            at = (at + 1) % len(table)
            steps += 1
        assert steps < 8
