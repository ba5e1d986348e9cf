"""The tables of transfer syntaxes and VRs: complete, as PS3.6 and pydicom have them, and the only place for both."""

import re
import zlib
from pathlib import Path

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import archive, uids
from dicomcore.pixels import FrameDescription, decode_frame, encoder_for
from dicomcore.pixels.coding import builtin, encoder_registry, registry
from dicomcore.syntaxes import BY_UID, SYNTAXES, Syntax, syntax_of
from dicomcore.vrs import BYTES, NUMBERS, VRS
from tests.support import dicom_bytes as raw

valuerep = pytest.importorskip("pydicom.valuerep")
pydicom_uid = pytest.importorskip("pydicom.uid")

SOURCES = Path(__file__).parents[2] / "src/dicomcore"
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
def test_rows_have_distinct_uids_and_names(field):
    values = [getattr(syntax, field) for syntax in SYNTAXES if getattr(syntax, field)]
    assert len(values) == len(set(values))


def test_names_in_rows_exist():
    assert {syntax.format for syntax in SYNTAXES} - {""} == builtin.FORMATS.keys()
    assert {syntax.encoder for syntax in SYNTAXES} - {""} == builtin.ENCODERS.keys()
    for syntax in SYNTAXES:
        if syntax.taken_as:
            assert BY_UID[getattr(uids, syntax.taken_as)].format == syntax.format
        assert not (syntax.format and syntax.video)
        assert syntax.big_endian_pixels or not syntax.big_endian


def test_unknown_syntax_is_explicit_little_endian_and_encapsulated():
    row = syntax_of("1.2.3.4")
    assert not any((row.implicit, row.big_endian, row.deflated, row.format, row.encoder, row.method))
    assert row.encapsulated


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
        # pydicom's maximum for DT is that of one date and time, for DA and TM that of a range.
        assert longest[name] == (54 if name == "DT" else most), name


def test_native_names_of_vrs_are_their_letters():
    declared = re.findall(r"^    ([A-Z]{2}) = (0x[0-9A-F]{4})$", (SOURCES / "_native/base/vr.pxd").read_text(), re.M)
    assert {name: int(code, 16) for name, code in declared} == {vr.name: vr.code for vr in VRS}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A file for each transfer syntax, encoded as its row says: Rows is 258, whose bytes differ."""
    folder = tmp_path_factory.mktemp("labelled")
    for syntax in SYNTAXES:
        order = "big" if syntax.big_endian else "little"
        vr = None if syntax.implicit else "US"
        body = raw.element(0x00280010, vr, (258).to_bytes(2, order), big=syntax.big_endian)
        if syntax.deflated:
            deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            body = deflater.compress(body) + deflater.flush()
        (folder / syntax.keyword).write_bytes(raw.part10(body, syntax.uid))
    return folder


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.keyword)
def test_files_are_read_as_the_row_says(labelled, syntax):
    data_set = dc.dcmread(labelled / syntax.keyword)
    assert (data_set.Rows, data_set.issues) == (258, ())
    assert (data_set.is_implicit_VR, data_set.is_little_endian) == (syntax.implicit, not syntax.big_endian)


def test_files_are_indexed_as_the_rows_say(labelled):
    table = archive.index([labelled], columns=["TransferSyntaxUID", "Rows"])
    assert sorted(table["TransferSyntaxUID"].to_pylist()) == sorted(BY_UID)
    assert set(table["Rows"].to_pylist()) == {258}
    assert not any(table["issues"].to_pylist())


def test_a_new_row_suffices_for_a_known_format():
    syntax = Syntax("1.2.3.4", "Pretended", format="RLE", encoder="RLE")
    builtin.register_row(syntax)
    try:
        samples = np.arange(0x100, 0x110, dtype="u2").reshape(2, 8)
        desc = FrameDescription(rows=2, columns=8, bits_allocated=16, transfer_syntax=syntax.uid)
        coded = encoder_for(syntax.uid).encode(samples, desc, None)
        assert np.array_equal(decode_frame(coded, desc).samples, samples)
    finally:
        del registry._CODECS[syntax.uid], encoder_registry._ENCODERS[syntax.uid]
