"""Private creators: their tags, and how their names are compared (PS3.5 7.8.1, 6.2)."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw


def test_elements_that_are_no_private_creators() -> None:
    """(gggg,0001) to (gggg,000F) are not used (PS3.5 7.8.1)."""
    names = {element: dc.DataElement(0x00090000 | element, "LO", "x").name for element in (0x1, 0xF, 0x10, 0xFF, 0x100)}
    assert names == {0x1: "Private tag data", 0xF: "Private tag data", 0x10: "Private Creator", 0xFF: "Private Creator",
                     0x100: "Private tag data"}  # fmt: skip
    assert dc.DataElement(0x00090000, "UL", 4).name == "Group Length"


@pytest.mark.parametrize("vr", ["LO", None], ids=["UN", "implicit"])
def test_leading_spaces_of_a_creator_do_not_count(vr: str | None, tmp_path: Path) -> None:
    """Leading and trailing spaces of LO are padding (PS3.5 6.2)."""
    data = raw.element(0x00430010, vr, b"  GEMS_PARM_01") + raw.element(0x00431012, vr and "UN", struct.pack("<h", 5))
    data = raw.part10(data, raw.EXPLICIT if vr else raw.IMPLICIT)
    ds = dc.dcmread(data)
    assert (ds[0x00431012].VR, ds[0x00431012].value, ds[0x00431012].name) == ("SS", 5, "[X-ray chain]")
    assert ds.get_private_item(0x0043, 0x12, "GEMS_PARM_01").value == 5
    archive = pytest.importorskip("dicomcore.archive")
    (tmp_path / "one.dcm").write_bytes(data)
    column = "0043xx12:GEMS_PARM_01"
    assert archive.index(tmp_path / "one.dcm", columns=[column])[column].to_pylist() == [[5]]
