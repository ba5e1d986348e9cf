"""Headers in JSON for a service, whose URIs are made natively: as `to_json` writes them."""

from __future__ import annotations

import pytest

import dicomcore as dc
from dicomcore.forms import to_json
from dicomcore.forms.json_text import to_header_json
from tests.support.corpus import ABSENT, Real, dicom_files

ADDED = 0x00083002
MEMBER = '{"vr":"UI","Value":["1.2.3"]}'


def usual(ds: dc.Dataset) -> str:
    if ADDED not in ds:
        ds.AvailableTransferSyntaxUID = dc.UID("1.2.3")
    return to_json(ds, bulk_data_element_handler=lambda one: f"at/{int(one.tag):08X}/{one.offset}")


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.parametrize("file", dicom_files(), ids=[file.name for file in dicom_files()])
def test_every_file(file: Real) -> None:
    try:
        wanted = usual(dc.dcmread(file.path, force=True))
    except dc.DicomError as error:
        with pytest.raises(type(error)):
            to_header_json(dc.dcmread(file.path, force=True), "at/", 768, (ADDED, MEMBER))
        return
    assert to_header_json(dc.dcmread(file.path, force=True), "at/", 768, (ADDED, MEMBER)) == wanted
    used = dc.dcmread(file.path, force=True)
    assert len(list(used)) == len(used)  # elements are handed out: their values may have changed
    assert to_header_json(used, "at/", 768, (ADDED, MEMBER)) == wanted


SMALL = {
    "none": ({}, f'{{"00083002":{MEMBER}}}'),
    "before": ({"PatientID": "1"}, f'{{"00083002":{MEMBER},"00100020":{{"vr":"LO","Value":["1"]}}}}'),
    "behind": ({"Modality": "CT"}, f'{{"00080060":{{"vr":"CS","Value":["CT"]}},"00083002":{MEMBER}}}'),
    "there": ({"AvailableTransferSyntaxUID": "1.2"}, '{"00083002":{"vr":"UI","Value":["1.2"]}}'),
}


@pytest.mark.parametrize("name", SMALL)
def test_the_added_attribute_is_in_its_place(name: str) -> None:
    values, wanted = SMALL[name]
    ds = dc.Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    assert to_header_json(ds, "", 768, (ADDED, MEMBER)) == wanted


def test_nothing_is_added_without_its_text() -> None:
    assert to_header_json(dc.Dataset(), "", 768, (ADDED, None)) == "{}"


def test_a_value_without_an_offset_is_inline() -> None:
    ds = dc.Dataset()
    ds.add_new(0x00281201, "OW", bytes(2000))
    assert "InlineBinary" in to_header_json(ds, "at/", 768, (ADDED, None))
