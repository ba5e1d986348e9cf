"""The table of transfer syntaxes: complete, in agreement with PS3.6, and the only place for them."""

import re
from pathlib import Path

import pytest

from dicomcore import uids
from dicomcore.pixels.coding import builtin
from dicomcore.syntaxes import BY_UID, SYNTAXES, syntax_of

pydicom_uid = pytest.importorskip("pydicom.uid")

SOURCES = Path(uids.__file__).parent
SYNTAX_UID = re.compile(r"1\.2\.840\.10008\.1\.2(?:0|\.|\b)|1\.2\.840\.113619\.5\.2\b")
SUFFIXES = {".py", ".pyi", ".pyx", ".pxd", ".h", ".html"}


def test_every_registered_transfer_syntax_has_a_row():
    registered = {uid for uid, entry in pydicom_uid.UID_dictionary.items() if entry[1] == "Transfer Syntax"}
    assert registered <= BY_UID.keys()
    for syntax in SYNTAXES:
        uid = uids.UID(syntax.uid)
        assert uid.is_transfer_syntax, syntax
        assert uid.keyword == ("" if uid.is_private else syntax.keyword)
        assert getattr(uids, syntax.keyword) == uid


@pytest.mark.parametrize("field", ["uid", "keyword", "short_name"])
def test_rows_are_told_apart(field):
    values = [getattr(syntax, field) for syntax in SYNTAXES if getattr(syntax, field)]
    assert len(values) == len(set(values))


def test_what_rows_name_exists():
    assert {syntax.format for syntax in SYNTAXES} - {""} == builtin.FORMATS.keys()
    assert {syntax.encoder for syntax in SYNTAXES} - {""} == builtin.ENCODERS.keys()
    for syntax in SYNTAXES:
        if syntax.taken_as:
            assert BY_UID[getattr(uids, syntax.taken_as)].format == syntax.format
        assert not (syntax.format and syntax.video)
        assert syntax.big_endian_pixels or not syntax.big_endian


def test_unknown_syntax_is_explicit_little_endian_and_encapsulated():
    row = syntax_of("1.2.3.4")
    assert (row.uid, row.implicit, row.big_endian, row.deflated, row.encapsulated) == ("1.2.3.4", False, False, False, True)
    assert (row.format, row.encoder, row.method) == ("", "", "")


def test_no_other_source_spells_a_transfer_syntax():
    found = [
        f"{path.relative_to(SOURCES)}:{number}"
        for path in sorted(SOURCES.rglob("*"))
        if path.suffix in SUFFIXES and path.parent.name != "tables" and path != SOURCES / "syntaxes.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SYNTAX_UID.search(line)
    ]
    assert found == []
