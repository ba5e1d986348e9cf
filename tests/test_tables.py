"""The tables of transfer syntaxes and VRs: complete, in agreement with PS3.6 and pydicom, and the only place for both."""

import re
from pathlib import Path

import pytest

from dicomcore import uids
from dicomcore.pixels.coding import builtin
from dicomcore.syntaxes import BY_UID, SYNTAXES, syntax_of
from dicomcore.vrs import BYTES, NUMBERS, VRS

valuerep = pytest.importorskip("pydicom.valuerep")
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


def test_vrs_are_pydicoms():
    assert [vr.name for vr in VRS] == sorted(vr.value for vr in valuerep.STANDARD_VR)
    for ours, theirs in (
        ({vr.name for vr in VRS if vr.long}, valuerep.EXPLICIT_VR_LENGTH_32),
        ({vr.name for vr in VRS if vr.charset}, valuerep.CUSTOMIZABLE_CHARSET_VR - {"UR"}),
        ({vr.name for vr in VRS if vr.kind in ("text", "decimal")}, valuerep.STR_VR),
        (BYTES, valuerep.BYTES_VR),
        (NUMBERS, (valuerep.INT_VR | valuerep.FLOAT_VR) - {"IS", "DS", "AT"}),
        ({vr.name for vr in VRS if vr.single}, (valuerep.ALLOW_BACKSLASH & valuerep.STR_VR) | {"UR"}),
    ):
        assert ours == {str(vr) for vr in theirs}


def test_longest_values_are_pydicoms():
    longest = {vr.name: vr.longest for vr in VRS}
    for name, most in valuerep.MAX_VALUE_LEN.items():
        assert longest[name] == (54 if name == "DT" else most), name  # pydicom's is of one date and time, not of a range


def test_native_names_of_vrs_are_their_letters():
    declared = re.findall(r"^    ([A-Z]{2}) = (0x[0-9A-F]{4})$", (SOURCES / "_native/base/vr.pxd").read_text(), re.M)
    assert {name: int(code, 16) for name, code in declared} == {vr.name: vr.code for vr in VRS}
