"""One attribute of a clean real file changed: what the tables of its IOD find, and nothing else."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import pytest

import dicomcore as dc
from dicomcore.errors import DicomError
from dicomcore.iod import check
from dicomcore.transcoding import transcode
from tests.support.corpus import real

CT, SEG, SC = "CT_small.dcm", "liver.dcm", "SC_rgb_16bit.dcm"
Change = Callable[[dc.Dataset], object]
Found = list[tuple[str, str]]


def put(keyword: str, value: object) -> Change:
    """Set an attribute."""
    return lambda ds: setattr(ds, keyword, value)


def drop(*keywords: str) -> Change:
    """Delete attributes."""

    def change(ds: dc.Dataset) -> None:
        for keyword in keywords:
            del ds[keyword]

    return change


def items(keyword: str, *contents: dict[str, object]) -> Change:
    """Set a sequence, an item for each dict of attributes."""

    def change(ds: dc.Dataset) -> None:
        setattr(ds, keyword, dc.Sequence([item_of(one) for one in contents]))

    return change


def item_of(values: dict[str, object]) -> dc.Dataset:
    item = dc.Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def both(*changes: Change) -> Change:
    def change(ds: dc.Dataset) -> None:
        for one in changes:
            one(ds)

    return change


def shared(ds: dc.Dataset) -> dc.Dataset:
    return ds.SharedFunctionalGroupsSequence[0]


def frames(ds: dc.Dataset) -> list[dc.Dataset]:
    return list(ds.PerFrameFunctionalGroupsSequence)


def to_frames(ds: dc.Dataset, count: int | None = None, *, keep: bool = False) -> None:
    """Move the Pixel Measures of all frames to those of single ones."""
    measures = shared(ds).PixelMeasuresSequence
    if not keep:
        del shared(ds).PixelMeasuresSequence
    for frame in frames(ds)[:count]:
        frame.PixelMeasuresSequence = dc.Sequence([dc.Dataset(measures[0])])


def to_all(ds: dc.Dataset) -> None:
    """Move the segment of the first frame to the groups of all frames."""
    shared(ds).SegmentIdentificationSequence = frames(ds)[0].SegmentIdentificationSequence
    for frame in frames(ds):
        del frame.SegmentIdentificationSequence


CODE: dict[str, object] = {"CodeValue": "1", "CodingSchemeDesignator": "SCT", "CodeMeaning": "a"}
REFERENCE: dict[str, object] = {"ReferencedSOPClassUID": "1.2", "ReferencedSOPInstanceUID": "1.3"}

CASES: dict[str, tuple[str, Change, Found]] = {
    "nothing": (CT, lambda ds: None, []),
    "type 1 missing": (CT, drop("ImageType"), [("MISSING", "ImageType")]),
    "type 1 empty": (CT, put("StudyInstanceUID", ""), [("EMPTY", "StudyInstanceUID")]),
    "type 1 of spaces": (CT, put("RescaleSlope", "  "), [("EMPTY", "RescaleSlope")]),
    "type 2 missing": (CT, drop("PatientName"), [("MISSING_EMPTY_ALLOWED", "PatientName")]),
    "type 2 empty": (CT, put("PatientName", ""), []),
    "type 3 missing": (CT, drop("StudyDescription"), []),
    "type 3 empty": (CT, put("StudyDescription", ""), []),
    "2C due and missing": (CT, drop("PatientPosition"), [("MISSING_CONDITIONAL", "PatientPosition")]),
    "2C due and empty": (CT, put("PatientPosition", ""), []),
    "1C due and missing": (
        CT,
        put("PatientIdentityRemoved", "YES"),
        [
            ("MISSING_CONDITIONAL", "DeidentificationMethod"),
            ("MISSING_CONDITIONAL", "DeidentificationMethodCodeSequence"),
        ],
    ),
    "1C due and there": (CT, both(put("PatientIdentityRemoved", "YES"), put("DeidentificationMethod", "a")), []),
    "1C due and empty": (
        CT,
        both(put("PatientIdentityRemoved", "YES"), items("DeidentificationMethodCodeSequence")),
        [("EMPTY_CONDITIONAL", "DeidentificationMethodCodeSequence")],
    ),
    "1C neither due nor allowed": (CT, put("PlanarConfiguration", 0), [("NOT_DUE", "PlanarConfiguration")]),
    "1C forbidden": (
        SC,
        both(
            put("RescaleIntercept", "0"),
            put("RescaleSlope", "1"),
            put("RescaleType", "US"),
            items("ModalityLUTSequence", {"LUTDescriptor": [1, 0, 16], "ModalityLUTType": "US", "LUTData": [0]}),
        ),
        [("FORBIDDEN", "RescaleIntercept"), ("FORBIDDEN", "ModalityLUTSequence")],
    ),
    "type 1 of an item missing": (
        CT,
        items("ReferencedPatientSequence", {"ReferencedSOPClassUID": "1.2"}),
        [("MISSING", "ReferencedPatientSequence[0].ReferencedSOPInstanceUID")],
    ),
    "one of three values of a code": (
        CT,
        items("ProcedureCodeSequence", {"URNCodeValue": "urn:a", "CodeMeaning": "a"}),
        [],
    ),
    "no value of a code": (
        CT,
        items("ProcedureCodeSequence", {"CodingSchemeDesignator": "SCT", "CodeMeaning": "a"}),
        [("MISSING_CONDITIONAL", "ProcedureCodeSequence[0].CodeValue")],
    ),
    "not enumerated": (CT, put("PatientSex", "X"), [("NOT_ENUMERATED", "PatientSex")]),
    "not enumerated as value 1": (
        CT,
        put("ImageType", ["NEW", "PRIMARY", "AXIAL"]),
        [("NOT_ENUMERATED", "ImageType")],
    ),
    "enumerated number": (CT, put("PixelRepresentation", 2), [("NOT_ENUMERATED", "PixelRepresentation")]),
    "no defined term": (CT, put("ImageType", ["ORIGINAL", "PRIMARY", "AXIAL", "NEW"]), [("NOT_DEFINED", "ImageType")]),
    "fewer values than dictionary and module have": (CT, put("ImageType", "ORIGINAL"), [("VALUE_COUNT", "ImageType")]),
    "module missing": (
        CT,
        drop("FrameOfReferenceUID", "PositionReferenceIndicator"),
        [("MODULE_MISSING", "FrameOfReferenceUID")],
    ),
    "module missing but for an attribute of type 2": (
        CT,
        drop("FrameOfReferenceUID"),
        [("MISSING", "FrameOfReferenceUID")],
    ),
    "module of type 2 missing": (CT, drop("Manufacturer"), [("MISSING_EMPTY_ALLOWED", "Manufacturer")]),
    "another member of a context group": (
        CT,
        items(
            "AnatomicRegionSequence", {"CodeValue": "69536005", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Head"}
        ),
        [],
    ),
    "one item": (CT, items("SeriesDescriptionCodeSequence", CODE), []),
    "too many items": (
        CT,
        items("SeriesDescriptionCodeSequence", CODE, CODE),
        [("ITEM_COUNT", "SeriesDescriptionCodeSequence")],
    ),
    "module begun": (
        CT,
        put("SynchronizationTrigger", "SOURCE"),
        [("MISSING", "AcquisitionTimeSynchronized"), ("MISSING", "SynchronizationFrameOfReferenceUID")],
    ),
    "type 1 of a module that is not there, empty": (
        CT,
        put("SynchronizationTrigger", ""),
        [("EMPTY", "SynchronizationTrigger")],
    ),
    "items of a module of type 3": (
        CT,
        items("SourceImageSequence", {"SOPClassUID": "1.2", "SOPInstanceUID": "1.3"}),
        [
            ("MISSING", "SourceImageSequence[0].ReferencedSOPClassUID"),
            ("MISSING", "SourceImageSequence[0].ReferencedSOPInstanceUID"),
        ],
    ),
    "whole items of a module of type 3": (CT, items("SourceImageSequence", REFERENCE), []),
    "type stated in place of another's": (SC, drop("Modality"), []),
    "the same IOD, the type of both": (SC, drop("ConversionType"), [("MISSING", "ConversionType")]),
    "groups as they are": (SEG, lambda ds: None, []),
    "group missing": (
        SEG,
        lambda ds: frames(ds)[1].__delitem__("SegmentIdentificationSequence"),
        [("GROUP_MISSING", "PerFrameFunctionalGroupsSequence[1].SegmentIdentificationSequence")],
    ),
    "group empty": (
        SEG,
        lambda ds: setattr(frames(ds)[1], "SegmentIdentificationSequence", []),
        [("EMPTY", "PerFrameFunctionalGroupsSequence[1].SegmentIdentificationSequence")],
    ),
    "group moved to all frames": (SEG, to_all, []),
    "group moved to each frame": (SEG, to_frames, []),
    "no groups of frames": (
        SEG,
        both(to_all, drop("PerFrameFunctionalGroupsSequence")),
        [],
    ),
    "group missing, and no groups of frames": (
        SEG,
        drop("PerFrameFunctionalGroupsSequence"),
        [("GROUP_MISSING", "SharedFunctionalGroupsSequence[0].SegmentIdentificationSequence")],
    ),
    "group of all frames and of one": (
        SEG,
        lambda ds: to_frames(ds, 1, keep=True),
        [("GROUP_TWICE", "PerFrameFunctionalGroupsSequence[0].PixelMeasuresSequence")],
    ),
    "attribute of a shared group": (
        SEG,
        lambda ds: setattr(shared(ds).PlaneOrientationSequence[0], "ImageOrientationPatient", None),
        [
            (
                "EMPTY_CONDITIONAL",
                "SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient",
            )
        ],
    ),
    "attribute of a frame's group": (
        SEG,
        lambda ds: frames(ds)[1].FrameContentSequence[0].__delitem__("DimensionIndexValues"),
        [
            (
                "MISSING_CONDITIONAL",
                "PerFrameFunctionalGroupsSequence[1].FrameContentSequence[0].DimensionIndexValues",
            )
        ],
    ),
}


def changed(file: str, change: Change) -> dc.Dataset:
    ds = dc.dcmread(real(file))
    change(ds)
    return ds


@pytest.mark.parametrize("name", CASES)
def test_change(name: str) -> None:
    file, change, wanted = CASES[name]
    report = check(changed(file, change), rules=("structure", "values", "-BAD_VALUE", "-ISSUE"))
    assert [(one.code, one.path) for one in report] == wanted


@pytest.mark.parametrize(("tiles", "due"), [(None, True), ("3D", True), ("TILED_FULL", False)])
def test_segment_unless_tiled(tiles: str | None, due: bool) -> None:
    """Dimension Organization Type is of type 3: without it there are no tiles."""
    ds = dc.dcmread(real(SEG))
    for frame in frames(ds):
        del frame.SegmentIdentificationSequence
    if tiles:
        ds.DimensionOrganizationType = tiles
    found = [(one.path, one.count) for one in check(ds) if one.code == "GROUP_MISSING"]
    path = "PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence"
    assert found == [(path, len(frames(ds)))] * due


@pytest.mark.parametrize(("count", "due"), [(1, False), (2, True)])
def test_frame_increment_of_secondary_captures(count: int, due: bool) -> None:
    """C.8.6.3: due for more than one frame, in place of the type 1 of the Multi-frame module."""
    ds = changed(SC, both(put("NumberOfFrames", count), drop("SamplesPerPixel")))
    report = check(ds, iod="MultiFrameTrueColorSecondaryCaptureImageStorage", rules=("structure",))
    assert any(one.path == "FrameIncrementPointer" for one in report) == due
    assert any(one.path == "SamplesPerPixel" for one in report)


@pytest.mark.parametrize(("mapped", "due"), [(False, True), (True, False)])
def test_what_is_forbidden_is_not_due(mapped: bool, due: bool) -> None:
    """C.8.17.2: of a fundus camera Pixel Spacing is required, and beside a map of the image forbidden."""
    camera = {"CodeValue": "409898007", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Fundus Camera"}
    ds = item_of({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.5.1"})
    ds.AcquisitionDeviceTypeCodeSequence = dc.Sequence([item_of(camera)])
    if mapped:
        ds.add_new(0x00221518, "SQ", dc.Sequence([dc.Dataset()]))
    assert any(one.path == "PixelSpacing" for one in check(ds, rules=("-MODULE_MISSING",))) == due


def test_attributes_of_a_missing_module() -> None:
    """One finding, or one for each attribute."""
    ds = changed(CT, drop("FrameOfReferenceUID", "PositionReferenceIndicator"))
    (whole,) = check(ds, rules=("structure", "-ISSUE"))
    assert (whole.module, whole.message) == (
        "Frame of Reference",
        "is the first of 2 attributes of a module that is missing",
    )
    single = check(ds, rules=("structure", "-ISSUE", "-MODULE_MISSING"))
    assert [(one.code, one.path) for one in single] == [
        ("MISSING", "FrameOfReferenceUID"),
        ("MISSING_EMPTY_ALLOWED", "PositionReferenceIndicator"),
    ]


@pytest.mark.parametrize(
    ("sop_class", "codes"),
    [("1.2.840.10008.5.1.4.1.1.5", ["UNKNOWN_SOP_CLASS", "RETIRED"]), ("1.2.3", ["UNKNOWN_SOP_CLASS"])],
)
def test_retired_sop_class(sop_class: str, codes: list[str]) -> None:
    report = check(changed(CT, put("SOPClassUID", sop_class)), rules=("structure", "-ISSUE"), at_least="note")
    assert [one.code for one in report] == codes
    assert bool(report)


PHOTOMETRIC = {  # in a transfer syntax: (Photometric Interpretation, whether it is enumerated for it)
    "colour as the codec makes it": ("JPEGBaseline8Bit", "YBR_FULL_422", True),
    "colour as it is not coded": ("JPEGBaseline8Bit", "YBR_PARTIAL_422", False),
    "of another codec": ("RLELossless", "YBR_FULL_422", False),
    "of RLE": ("RLELossless", "RGB", True),
    "of JPEG 2000": ("JPEG2000Lossless", "YBR_RCT", True),
}


@pytest.mark.parametrize("name", PHOTOMETRIC)
@pytest.mark.parametrize("in_file", [True, False], ids=["file", "data set"])
def test_values_for_a_transfer_syntax(name: str, in_file: bool) -> None:
    """Also of a data set that has changed, which has no file meta information where it is looked at."""
    syntax, photometric, allowed = PHOTOMETRIC[name]
    made = bytearray()
    transcode(real("SC_rgb.dcm"), made, syntax)
    ds = dc.dcmread(bytes(made))
    ds.PhotometricInterpretation = photometric
    if in_file:
        written = io.BytesIO()
        ds.save_as(written)
        ds = dc.dcmread(written.getvalue())
    found = check(ds, rules=("NOT_ENUMERATED",))
    assert [one.path for one in found] == ["PhotometricInterpretation"] * (not allowed)


def view(ds: dc.Dataset, *code: str) -> None:
    """A mammogram's view."""
    ds.ViewCodeSequence = [
        item_of(dict(zip(("CodeValue", "CodingSchemeDesignator", "CodeMeaning"), code, strict=True)))
    ]


CODES: dict[str, tuple[tuple[str, str, str], list[tuple[str, str]]]] = {
    "member": (("399162004", "SCT", "cranio-caudal"), []),
    "of the retired scheme": (("R-10242", "SRT", "cranio-caudal"), [("RETIRED_SCHEME", "note")]),
    "of the retired scheme by an older name": (("R-10242", "SNM3", "a"), [("RETIRED_SCHEME", "note")]),
    "of the retired scheme, not a member": (("T-62000", "SRT", "Liver"), [("CODE_NOT_DEFINED", "error")]),
    "of the retired scheme, nobody knows": (("R-99999", "SRT", "a"), [("CODE_UNKNOWN", "note")]),
    "not a member": (("10200004", "SCT", "Liver"), [("CODE_NOT_DEFINED", "error")]),
    "of a private scheme": (("1", "99ME", "a"), [("CODE_NOT_DEFINED", "error")]),
    "without a value": (("", "SCT", "a"), []),
}


@pytest.mark.parametrize("name", CODES)
def test_codes_of_a_closed_group(name: str) -> None:
    """CID 4014, which may not be extended."""
    code, wanted = CODES[name]
    ds = changed(CT, lambda ds: view(ds, *code))
    rules = ("CODE_NOT_DEFINED", "CODE_UNKNOWN", "RETIRED_SCHEME")
    found = check(ds, iod="DigitalMammographyXRayImageStorageForPresentation", rules=rules, at_least="note")
    assert [(one.code, one.severity) for one in found] == wanted
    assert all(one.path == "ViewCodeSequence" and "4014" in one.message for one in found if one.code[0] == "C")


def test_codes_of_an_open_group() -> None:
    ds = dc.dcmread(real(SEG))
    ds.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeValue = "999"
    ds.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator = "99ME"
    found = check(ds, rules=("values",), at_least="note")
    assert ("CODE_UNKNOWN", "note", "SegmentSequence[0].SegmentedPropertyTypeCodeSequence") in [
        (one.code, one.severity, one.path) for one in found
    ]


NO_IOD: dict[str, tuple[Change, str, str, bool]] = {
    "no SOP class": (drop("SOPClassUID"), "NO_SOP_CLASS", "error", False),
    "empty SOP class": (put("SOPClassUID", ""), "NO_SOP_CLASS", "error", False),
    "unknown SOP class": (put("SOPClassUID", "1.2.3"), "UNKNOWN_SOP_CLASS", "note", True),
}


@pytest.mark.parametrize("name", NO_IOD)
def test_no_iod(name: str) -> None:
    change, code, severity, sound = NO_IOD[name]
    report = check(changed(CT, change), rules=("structure",), at_least="note")
    assert [(one.code, one.severity, one.path) for one in report] == [(code, severity, "SOPClassUID")]
    assert (report.iod, bool(report)) == ("", sound)


@pytest.mark.parametrize("name", ["dicomdirtests/DICOMDIR", "dicomdirtests/DICOMDIR-implicit"])
def test_directory(name: str) -> None:
    """A DICOMDIR has no SOP class in its data set."""
    report = check(real(name.rpartition("/")[2]), rules=("structure", "-ISSUE"), at_least="note")
    assert [one.code for one in report] == ["UNKNOWN_SOP_CLASS"]


def test_attributes_of_other_iods() -> None:
    def named(ds: dc.Dataset) -> set[str]:
        return {one.path for one in check(ds, rules=("NOT_IN_IOD",), at_least="note")}

    ds = changed(CT, lambda ds: None)
    before = named(ds)
    ds.EchoTime, ds.SliceThickness = "1", "1"
    assert named(ds) - before == {"EchoTime"}


@pytest.mark.parametrize(
    ("name", "iod", "wanted"),
    [
        (
            "rtdose_rle.dcm",
            "RT Dose",
            [
                ("MISSING_EMPTY_ALLOWED", "OperatorsName"),
                ("BAD_VALUE", "ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID"),
            ],
        ),
        ("explicit_VR-UN.dcm", "CT Image", [("MISSING_CONDITIONAL", "PatientPosition")]),
    ],
)
def test_all_in_un(name: str, iod: str, wanted: Found) -> None:
    """The dictionary tells the VR."""
    report = check(real(name), rules=("structure", "values", "-ISSUE"))
    assert report.iod == iod
    assert [(one.code, one.path) for one in report] == wanted


def test_words_of_a_set_with_an_empty_term() -> None:
    report = check(changed(CT, put("PatientSex", "X")), rules=("NOT_ENUMERATED",))
    assert report[0].message.endswith("an enumerated value: F, M, O")


def nested(depth: int) -> dc.Dataset:
    """A report whose content is nested."""
    ds = dc.dcmread(real("reportsi.dcm"))
    inner = dc.Dataset()
    for _ in range(depth):
        outer = dc.Dataset()
        outer.ContentSequence = dc.Sequence([inner])
        inner = outer
    ds.ContentSequence = inner.ContentSequence
    return ds


def test_deep() -> None:
    """Empty items, each in the one before: every level is looked at."""
    report = check(nested(200), rules=("structure",))
    missing = [one for one in report if one.code == "MISSING" and one.path.endswith("].RelationshipType")]
    assert [one.path.count("[") for one in missing] == list(range(1, 201))


@pytest.mark.parametrize("name", [CT, SEG, "rtplan.dcm", "reportsi.dcm"])
def test_truncated(name: str) -> None:
    data = real(name).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for end in range(0, len(data), 50):
            try:
                assert len(check(data[:end], at_least="note")) < 1000
            except DicomError:
                continue


def test_the_number_of_items_is_said():
    ds = dc.dcmread(real("rtplan.dcm"))
    points = ds.BeamSequence[0].ControlPointSequence
    points.append(points[0])
    (finding,) = check(ds, rules=("ITEM_COUNT",))
    assert finding.message == f"has {len(points)} items"
