"""The generated tables of PS3.15 Annex E."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from dicomcore._native.deid import tables
from tests.support.standard import ABSENT
from tools.standard.__main__ import TABLES
from tools.standard.deid import headers
from tools.standard.place import folder


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_headers() -> None:
    for name, made in headers(folder()).items():
        assert (TABLES / name).read_text(encoding="ascii") == made, name


def test_counts() -> None:
    assert tables.edition() == "2026d"
    assert len(tables.attributes()) == 657
    assert len(tables.content_items()) == 214
    assert len(tables.codes()) == 13
    assert len(tables.safe_private()) == 479


def test_rows() -> None:
    rows = {tag: row for tag, *row in tables.attributes()}
    assert rows[0x00080050] == [0, False, "Z", {}, ""]
    dates = {"retain_longitudinal_full_dates": "K", "retain_longitudinal_modified_dates": "C"}
    assert rows[0x0008002A] == [0, False, "X/Z/D", dates, ""]
    assert rows[0x60FF3000] == [2, False, "X", {"clean_graphics": "C"}, ""]
    creators = {(name, group) for name, group, *_ in tables.safe_private()}
    assert ("Philips PET Private Group", 0x7053) in creators


def test_the_page_is_up_to_date() -> None:
    root = Path(__file__).resolve().parents[2]
    made = runpy.run_path(str(root / "tools/make_deid_page.py"))["page"]()
    assert (root / "docs/deid-options.md").read_text(encoding="utf-8") == made, "run python tools/make_deid_page.py"
