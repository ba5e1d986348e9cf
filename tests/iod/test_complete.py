"""`iod.complete`: what it adds, and that it adds nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from dicomcore import DataElement, Dataset, dcmread, iod
from dicomcore.dataset.paths import walk
from dicomcore.encoding import encode
from dicomcore.errors import DicomError
from dicomcore.iod import Added
from dicomcore.iod.filling import Filling
from dicomcore.tags import Tag
from tests.iod.test_made_objects import segmentation
from tests.support.corpus import ABSENT, dicom_files, real

CHARACTER_SET, SOP_CLASS = 0x00080005, 0x00080016
IDENTITY = frozenset(("UI", "DA", "TM", "DT", "PN", "LO", "SH", "AE"))


def objects() -> Iterator[tuple[str, Dataset]]:
    """Objects of the corpus whose IOD is known."""
    for one in dicom_files():
        if one.path.stat().st_size < 1_000_000:
            try:
                ds = dcmread(one.path)
            except DicomError:
                continue
            if iod.check(ds).iod:
                yield one.name, ds


def bared(ds: Dataset, share: float, seed: str) -> Dataset:
    """The object without its attributes of types 2 and 2C, at every level, and without some of the others."""
    chance = random.Random(seed)
    types: dict[tuple[int, ...], set[str]] = {}
    for attribute in iod.describe(ds.SOPClassUID).attributes:
        types.setdefault(tuple(map(int, attribute.path)), set()).add(attribute.type)
    gone = {
        path
        for path, kinds in types.items()
        if path not in ((CHARACTER_SET,), (SOP_CLASS,)) and (kinds & {"2", "2C"} or chance.random() < share)
    }
    waiting: list[tuple[Dataset, tuple[int, ...]]] = [(ds, ())]
    while waiting:
        parent, around = waiting.pop()
        for element in list(parent):
            path = (*around, int(element.tag))
            if path in gone:
                del parent[element.tag]
            elif element.VR == "SQ":
                waiting += [(item, path) for item in element.value]
    return ds


def content(ds: Dataset) -> dict[str, Any]:
    return {
        path: (element.VR, len(element.value) if element.VR == "SQ" else element.value) for path, _, element in walk(ds)
    }


def findings(ds: Dataset, **options: Any) -> set[tuple[str, str]]:
    return {(one.code, one.path) for one in iod.check(ds, at_least="note", **options)}


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("share", [None, 0.0, 0.1, 0.4], ids=["as it is", "without type 2", "some gone", "much gone"])
def test_what_is_added_is_what_was_missing(share: float | None) -> None:
    total = 0
    for name, ds in objects():
        if share is not None:
            bared(ds, share, name)
        before, had = findings(ds, rules=("-NOT_IN_IOD", "-MODULE_MISSING")), content(ds)
        added = iod.complete(ds)
        after, has = findings(ds, rules=("-NOT_IN_IOD", "-MODULE_MISSING")), content(ds)
        total += len(added)
        assert after <= before, name
        assert [path for code, path in after if code == "MISSING_EMPTY_ALLOWED"] == [], name
        assert {path for path in has if has[path] != had.get(path)} == {one.path for one in added}, name
        assert had.keys() <= has.keys()
        for one in added:
            vr, value = has[one.path]
            assert not value or one.how not in ("type 2", "type 2C, and its condition is met")
            assert not value or vr not in IDENTITY, one
        assert iod.complete(ds) == [], name
    assert total > 500


def test_sequences_in_un() -> None:
    """They are bytes in memory, and stay as they are; what is around them is filled."""
    ds = dcmread(real("rtplan.dcm"))
    beam = ds.BeamSequence[0]
    del beam.NumberOfControlPoints, ds.PatientBirthDate
    item = encode(beam, "1.2.840.10008.1.2")
    packed = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item
    ds[0x300A00B0] = DataElement(0x300A00B0, "UN", packed)
    assert ("MISSING", "BeamSequence[0].NumberOfControlPoints") in findings(ds)
    added = [one.path for one in iod.complete(ds)]
    assert "PatientBirthDate" in added
    assert not any(path.startswith("BeamSequence") for path in added)
    assert ds[0x300A00B0].value == packed


# -- what follows from other attributes ----------------------------------------------------------------------------

DERIVED: dict[str, tuple[str, str, str, Any, str]] = {
    "High Bit": ("CT_small.dcm", "", "HighBit", 15, "BitsStored"),
    "Bits Stored": ("CT_small.dcm", "", "BitsStored", 16, "HighBit"),
    "samples": ("CT_small.dcm", "", "SamplesPerPixel", 1, "PhotometricInterpretation"),
    "modality of a CT": ("CT_small.dcm", "", "Modality", "CT", "the SOP class"),
    "modality of a plan": ("rtplan.dcm", "", "Modality", "RTPLAN", "the SOP class"),
    "modality of a segmentation": ("liver_1frame.dcm", "", "Modality", "SEG", "the SOP class"),
    "SOP class": ("CT_small.dcm", "", "SOPClassUID", "1.2.840.10008.5.1.4.1.1.2", "MediaStorageSOPClassUID"),
    "control points": ("rtplan.dcm", "BeamSequence", "NumberOfControlPoints", 2, "the items of ControlPointSequence"),
}


@pytest.mark.parametrize(("file", "within", "keyword", "value", "how"), DERIVED.values(), ids=DERIVED)
def test_derived(file: str, within: str, keyword: str, value: Any, how: str) -> None:
    ds = dcmread(real(file))
    parent = ds[within].value[0] if within else ds
    if keyword in parent:
        assert parent[keyword].value == value
        del parent[keyword]
    added = {one.path: one for one in iod.complete(ds)}
    path = f"{within}[0].{keyword}" if within else keyword
    assert added[path] == Added(path, Tag(keyword), how)
    assert parent[keyword].value == value


def test_an_empty_value_is_derived() -> None:
    ds = dcmread(real("CT_small.dcm"))
    ds.HighBit = None
    assert Added("HighBit", Tag("HighBit"), "BitsStored") in iod.complete(ds)
    assert ds.HighBit == 15


@pytest.mark.filterwarnings("ignore")
def test_frames_by_functional_groups() -> None:
    ds = segmentation("binary")
    count = ds.NumberOfFrames
    del ds.NumberOfFrames
    how = "the items of PerFrameFunctionalGroupsSequence"
    assert iod.complete(ds) == [Added("NumberOfFrames", Tag("NumberOfFrames"), how)]
    assert count == ds.NumberOfFrames == len(ds.PerFrameFunctionalGroupsSequence)


def test_contour_points() -> None:
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    contour, contours = Dataset(), Dataset()
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.ContourData = ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
    contours.ReferencedROINumber = 1
    contours.ContourSequence = [contour]
    ds.ROIContourSequence = [contours]
    assert "ROIContourSequence[0].ContourSequence[0].NumberOfContourPoints" in {one.path for one in iod.complete(ds)}
    assert contour.NumberOfContourPoints == 3
    assert ds.Modality == "RTSTRUCT"


def test_frames_by_the_length_of_pixel_data() -> None:
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.2"  # multi-frame grayscale byte secondary capture
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.BitsAllocated = 4, 5, 1, 8
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation, ds.PhotometricInterpretation = 8, 7, 0, "MONOCHROME2"
    ds.PixelData = bytes(60)
    assert "NumberOfFrames" not in {one.path for one in iod.complete(ds)}  # it would ask for a Frame Increment Pointer
    ds.FrameIncrementPointer, ds.PageNumberVector = Tag("PageNumberVector"), [1, 2, 3]
    assert Added("NumberOfFrames", Tag("NumberOfFrames"), "the length of PixelData") in iod.complete(ds)
    assert ds.NumberOfFrames == 3


UNTOLD = {
    "UIDs": ("CT_small.dcm", ["StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID"]),
    "the image": ("CT_small.dcm", ["Rows", "Columns", "PhotometricInterpretation", "PixelRepresentation"]),
    "both bits": ("CT_small.dcm", ["BitsStored", "HighBit"]),
    "modality of a capture": ("SC_rgb.dcm", ["Modality"]),
}


@pytest.mark.parametrize(("file", "keywords"), UNTOLD.values(), ids=UNTOLD)
def test_what_nothing_tells_stays_missing(file: str, keywords: list[str]) -> None:
    ds = dcmread(real(file))
    for keyword in keywords:
        if keyword in ds:
            del ds[keyword]
    iod.complete(ds)
    assert [keyword for keyword in keywords if keyword in ds] == []


# -- what it goes by -----------------------------------------------------------------------------------------------


def test_a_stated_iod() -> None:
    ds = Dataset()
    assert iod.complete(ds) == []
    added = iod.complete(ds, "CT Image Storage")
    assert added[0] == Added("SOPClassUID", Tag("SOPClassUID"), "the IOD that was named")
    assert ds.Modality == "CT"
    assert ds["PatientName"].is_empty
    assert "SOPInstanceUID" not in ds
    with pytest.raises(KeyError):
        iod.complete(ds, "Nothing Storage")
    with pytest.raises(TypeError, match="complete\\(\\) changes a Dataset"):
        iod.complete("ct.dcm")  # type: ignore[arg-type]


def test_no_known_iod() -> None:
    ds = Dataset()
    ds.SOPClassUID = "1.2.3.4"
    assert iod.complete(ds) == []


def test_type_2c_is_added_if_its_condition_is_met() -> None:
    ds = dcmread(real("CT_small.dcm"))
    assert "PatientOrientation" not in ds
    assert "PatientOrientation" not in {one.path for one in iod.complete(ds)}  # it has a position instead


def test_what_leads_to_new_findings_is_left() -> None:
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.2"
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.BitsAllocated = 4, 5, 1, 8
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation, ds.PhotometricInterpretation = 8, 7, 0, "MONOCHROME2"
    ds.PixelData = bytes(40)
    ds.PerFrameFunctionalGroupsSequence = [Dataset(), Dataset(), Dataset()]  # more than there are pixels for
    before = findings(ds, rules=("coherence",))
    added = iod.complete(ds)
    assert "NumberOfFrames" not in ds
    assert len(added) > 5
    assert findings(ds, rules=("coherence",)) <= before


def test_each_item_is_completed() -> None:
    ds = dcmread(real("rtplan.dcm"))
    count = len(ds.BeamSequence[0].ControlPointSequence)
    for item in ds.BeamSequence[0].ControlPointSequence:
        item.CumulativeMetersetWeight = None
        del item.CumulativeMetersetWeight
    added = [one.path for one in iod.complete(ds) if one.path.endswith("CumulativeMetersetWeight")]
    assert added == [f"BeamSequence[0].ControlPointSequence[{i}].CumulativeMetersetWeight" for i in range(count)]


def test_the_work_grows_with_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    plain = Filling._spots
    monkeypatch.setattr(Filling, "_spots", lambda self: passes.append(1) or plain(self))
    ds = dcmread(real("rtplan.dcm"))
    beam = ds.BeamSequence[0]
    point = beam.ControlPointSequence[0]
    del point.CumulativeMetersetWeight
    beam.ControlPointSequence = [point.copy() for _ in range(2000)]
    added = iod.complete(ds)
    assert len([one for one in added if one.path.endswith("CumulativeMetersetWeight")]) == 2000
    assert len(passes) < 5
