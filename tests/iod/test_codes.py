"""The table of codes: complete, and the same in native code."""

from __future__ import annotations

import re
from pathlib import Path

from dicomcore.iod import codes

NATIVE = Path(__file__).parents[2] / "src/dicomcore/_native/check/codes.pxd"


def test_table() -> None:
    rows = list(codes.CODES.values())
    assert [row.number for row in rows] == sorted({row.number for row in rows})
    assert len(codes.NAMES) == len(rows)
    for row in rows:
        assert re.fullmatch(r"[A-Z][A-Z_]*", row.name), row.name
        assert row.severity in codes.SEVERITIES
        assert row.group in codes.GROUPS
        assert row.explanation.endswith(".")
        assert row.message
        assert row.message.format(detail=1, more=2)
        assert row.group == "coherence" or row.number < 100


def test_native_numbers() -> None:
    native = {name: int(number) for name, number in re.findall(r"^    ([A-Z_]+) = (\d+)$", NATIVE.read_text(), re.M)}
    assert native == {name: codes.NAMES[name].number for name in native}
    assert {number for number in codes.CODES if number >= 100} <= set(native.values())
