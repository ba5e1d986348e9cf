"""Further elements of group 0002 behind the file meta information (PS3.10 7.1)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw
from tests.support.mutate import check_every_truncation

CLASS_UID, ROWS = 0x00080016, 0x00280010


def E(tag: int, vr: str, value: bytes, big: bool = False) -> bytes:
    return raw.element(tag, vr, value, big=big)


def meta(syntax: str) -> bytes:
    return raw.meta(syntax, E(0x00020012, "UI", b"1.2.3.4\0"))


@pytest.mark.parametrize(("first", "second"), [(raw.EXPLICIT, raw.IMPLICIT), (raw.IMPLICIT, raw.EXPLICIT),
                                           (raw.BIG_ENDIAN, raw.EXPLICIT), (raw.EXPLICIT, raw.JPEG_BASELINE)],
                         ids=["explicit", "implicit", "big endian", "native"])  # fmt: skip
@pytest.mark.parametrize("how", ["a group", "a group without length", "an element"])
def test_the_first_meta_information_counts(first: str, second: str, how: str, tmp_path: Path) -> None:
    """The group ends where its length says (PS3.10 7.1); the data set is in the first one's transfer syntax."""
    big, implicit = first == raw.BIG_ENDIAN, first == raw.IMPLICIT
    syntax = E(0x00020010, "UI", second.encode() + b"\0" * (len(second) % 2))
    extra = {"a group": meta(second), "a group without length": raw.meta(second, with_length=False),
             "an element": syntax}[how]  # fmt: skip
    rows = raw.element(CLASS_UID, None if implicit else "UI", b"1.2\0", big=big) + raw.element(
        ROWS, None if implicit else "US", b"\0\4" if big else b"\4\0", big=big)  # fmt: skip
    data = raw.PREAMBLE + meta(first) + extra + rows
    ds = dc.dcmread(data)
    assert ds.transfer_syntax == ds.file_meta.TransferSyntaxUID == first
    assert ds.Rows == 4
    assert [int(element.tag) for element in ds] == [CLASS_UID, ROWS]
    assert [issue.code for issue in ds.issues] == ["META_REPEATED"]
    assert ds.issues[0].offset == 132 + len(meta(first))
    assert ds.to_bytes(enforce_standard=False) == data
    ds.SOPInstanceUID = "1.2.3"
    made = dc.dcmread(ds.to_bytes())
    assert (made.transfer_syntax, made.Rows, made.issues) == (first, 4, ())
    with pytest.raises(dc.ParseError, match="0002"):
        dc.dcmread(data, strict=True)
    archive = pytest.importorskip("dicomcore.archive")
    (tmp_path / "one.dcm").write_bytes(data)
    table = archive.index(tmp_path / "one.dcm", columns=["TransferSyntaxUID", "Rows"])
    assert table["TransferSyntaxUID"].to_pylist() == [first]
    assert table["Rows"].to_pylist() == [4]
    assert "META_REPEATED" in str(table["issues"].to_pylist())


@pytest.mark.skipif(shutil.which("gdcmdump") is None, reason="GDCM is not installed")
@pytest.mark.parametrize("first", [raw.EXPLICIT, raw.IMPLICIT])
def test_repeated_meta_information_is_read_as_gdcm_reads_it(first: str, tmp_path: Path) -> None:
    path = tmp_path / "one.dcm"
    vr = None if first == raw.IMPLICIT else "US"
    path.write_bytes(raw.PREAMBLE + meta(first) + meta(raw.BIG_ENDIAN) + raw.element(ROWS, vr, b"\4\0"))
    run = subprocess.run(["gdcmdump", path], capture_output=True, text=True, check=True)
    assert f"# Used TransferSyntax: {first}\n" in run.stdout
    assert re.search(r"\(0028,0010\).* 4 +#", run.stdout)
    assert (dc.dcmread(path).transfer_syntax, dc.dcmread(path).Rows) == (first, 4)


def test_an_element_encoded_as_the_data_set() -> None:
    """(0002,0010) in implicit VR or big endian, at the head of such a data set."""
    for syntax, vr, big in ((raw.IMPLICIT, None, False), (raw.BIG_ENDIAN, "UI", True)):
        extra = raw.element(0x00020010, vr, raw.EXPLICIT.encode() + b"\0", big=big)
        ds = dc.dcmread(raw.PREAMBLE + meta(syntax) + extra + raw.element(ROWS, vr and "US", b"\1\1", big=big))
        assert (ds.transfer_syntax, ds.Rows) == (syntax, 0x0101)
        assert [issue.code for issue in ds.issues] == ["META_REPEATED"]


def test_a_wrong_group_length_does_not_end_the_group() -> None:
    """Elements that go on ascending belong to the group, whatever its length says."""
    for length in (0, 14, 30, 400):
        data = raw.PREAMBLE + raw.meta(raw.IMPLICIT, E(0x00020012, "UI", b"1.2.3.4\0"), length=length)
        ds = dc.dcmread(data + raw.element(ROWS, None, b"\1\0"))
        assert (ds.transfer_syntax, ds.Rows) == (raw.IMPLICIT, 1)
        assert [issue.code for issue in ds.issues] == ["META_LENGTH"]


def test_an_empty_transfer_syntax_is_reported() -> None:
    ds = dc.dcmread(raw.PREAMBLE + raw.meta("") + E(ROWS, "US", b"\1\0"))
    assert ds.Rows == 1
    assert [(issue.code, issue.tag) for issue in ds.issues] == [("MISSING_TRANSFER_SYNTAX", 0x00020010)]


def test_every_truncation() -> None:
    data = raw.PREAMBLE + meta(raw.EXPLICIT) + meta(raw.IMPLICIT) + E(ROWS, "US", b"\1\0")
    check_every_truncation(data)
