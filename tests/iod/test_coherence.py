"""Rules across attributes: each broken on a real file gives its finding and no other."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomcore import Dataset, Sequence, dcmread
from dicomcore.errors import DicomError
from dicomcore.iod.codes import CODES
from dicomcore.part10.writer import to_bytes
from tests.support.corpus import ABSENT, dicom_files, real
from tests.support.iod_findings import findings

REVIEWED = Path(__file__).with_name("reviewed_coherence.csv")


def item(**attributes: Any) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def items(*made: Dataset) -> Sequence:
    return Sequence(list(made))


class Case(NamedTuple):
    code: str
    path: str
    file: str
    change: Callable[[Dataset], Any] | dict[str, Any]
    first: Callable[[Dataset], Any] | dict[str, Any] | None = None  # what the file lacks; this finds nothing


CT, MR, ENHANCED, SEG = "CT_small.dcm", "MR_small.dcm", "emri_small.dcm", "liver.dcm"
RGB, PALETTE, RLE, JPEG = "SC_rgb_small_odd.dcm", "examples_palette.dcm", "emri_small_RLE.dcm", "SC_rgb_jpeg_dcmtk.dcm"
ECG, PLAN, SET, OVERLAY = "waveform_ecg.dcm", "rtplan.dcm", "rtstruct.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm"
FLOAT, DOSE, JPEG2000, ULTRASOUND = "parametric_map_float.dcm", "rtdose.dcm", "JPEG2000.dcm", "examples_ybr_color.dcm"


def put(ds: Dataset, path: str, value: Any) -> None:
    """Set an attribute below items: ``put(ds, "WaveformSequence.0.WaveformBitsAllocated", 8)``."""
    *way, last = path.split(".")
    for name, number in zip(way[::2], way[1::2], strict=True):
        ds = getattr(ds, name)[int(number)]
    setattr(ds, last, value)


def at(path: str, value: Any) -> Callable[[Dataset], Any]:
    return lambda ds: put(ds, path, value)


def lut(descriptor: list[int], data: bytes) -> Sequence:
    made = Dataset()
    made.add_new("LUTDescriptor", "US", descriptor)
    made.add_new("LUTData", "OW", data)
    return items(made)


def overlay(element: int, vr: str, value: Any) -> Callable[[Dataset], Any]:
    return lambda ds: ds.add_new(0x60000000 | element, vr, value)


def drop_fragment(ds: Dataset) -> None:
    parts = bytes(ds["PixelData"].value)
    first = 8 + int.from_bytes(parts[4:8], "little")
    second = first + 8 + int.from_bytes(parts[first + 4 : first + 8], "little")
    ds["PixelData"].value = parts[:4] + bytes(4) + parts[second:]


def odd_offsets(ds: Dataset) -> None:
    parts = bytes(ds["PixelData"].value)
    first = 8 + int.from_bytes(parts[4:8], "little")
    ds["PixelData"].value = parts[:4] + (12).to_bytes(4, "little") + bytes(12) + parts[first:]


def numbered(ds: Dataset, sequence: str, keyword: str, number: int) -> None:
    ds[sequence].value[-1][keyword].value = number


MAPPING = {"RealWorldValueFirstValueMapped": 0, "RealWorldValueLastValueMapped": 1}
GRAPHIC = {
    "GraphicLayerSequence": items(item(GraphicLayer="NOTES")),
    "GraphicAnnotationSequence": items(
        item(
            GraphicLayer="NOTES",
            GraphicObjectSequence=items(
                item(
                    GraphicDimensions=2,
                    NumberOfGraphicPoints=2,
                    GraphicData=[1.0, 2.0, 3.0, 4.0],
                    GraphicType="POLYLINE",
                )
            ),
        )
    ),
}
OBJECT = "GraphicAnnotationSequence.0.GraphicObjectSequence.0."
RIGID = [1, 0, 0, 5, 0, 1, 0, 6, 0, 0, 1, 7, 0, 0, 0, 1]
ONE_BEAM = items(item(BeamNumber=1), item(BeamNumber=2))
DIMENSIONS = {
    "DimensionOrganizationSequence": items(item(DimensionOrganizationUID="1.2.3")),
    "DimensionIndexSequence": items(item(DimensionOrganizationUID="1.2.3")),
}
TILED = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.6",
    "Modality": "SM",
    "DimensionOrganizationType": "TILED_FULL",
    "NumberOfFrames": 1,
    "TotalPixelMatrixColumns": 100,
    "TotalPixelMatrixRows": 128,
}
VECTOR = {"NumberOfFrames": 2, "PixelData": bytes(128 * 128 * 2 * 2), "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.3"}

CASES = [
    Case("BITS_ALLOCATED", "BitsAllocated", CT, {"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}),
    Case("BITS_STORED", "BitsStored", CT, {"BitsStored": 17}),
    Case("HIGH_BIT", "HighBit", CT, {"HighBit": 16}),
    Case("HIGH_BIT", "HighBit", CT, {"HighBit": 7}),
    Case("HIGH_BIT_ABOVE", "HighBit", CT, {"BitsStored": 12}),
    Case("SAMPLES_PHOTOMETRIC", "SamplesPerPixel", CT, {"PhotometricInterpretation": "RGB"}),
    Case("PLANAR_CONFIGURATION", "PlanarConfiguration", ULTRASOUND, {"PlanarConfiguration": 1}),
    Case("PHOTOMETRIC_SYNTAX", "PhotometricInterpretation", RGB, {"PhotometricInterpretation": "YBR_RCT"}),
    Case("PIXELS_SHORT", "PixelData", CT, {"Rows": 129}),
    Case("PIXELS_SHORT", "PixelData", CT, {"NumberOfFrames": 2, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.3"},
         {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.3"}),
    Case("PIXELS_LONG", "PixelData", CT, {"Columns": 127}),
    Case("PIXEL_VR", "PixelData", CT, lambda ds: setattr(ds["PixelData"], "VR", "OB")),
    Case("PIXELS_SHORT", "IconImageSequence[0].PixelData", CT, at("IconImageSequence.0.PixelData", bytes(2)),
         {"IconImageSequence": items(item(Rows=2, Columns=2, BitsAllocated=8, BitsStored=8, HighBit=7,
                                          SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
                                          PixelData=bytes(4)))}),
    Case("FRAGMENT_COUNT", "PixelData", RLE, drop_fragment),
    Case("OFFSET_TABLE", "PixelData", RLE, odd_offsets),
    Case("EXTENDED_OFFSETS", "ExtendedOffsetTable", RLE,
         lambda ds: ds.add_new("ExtendedOffsetTable", "OV", bytes(16))),
    Case("PIXELS_TWICE", "PixelData", FLOAT, lambda ds: ds.add_new("PixelData", "OW", b"")),
    Case("FLOAT_BITS", "BitsAllocated", FLOAT, {"BitsAllocated": 16}),
    Case("SYNTAX_BITS", "BitsAllocated", JPEG, {"BitsAllocated": 16}),
    Case("LOSSY_FLAG", "LossyImageCompression", JPEG, {"LossyImageCompression": "00"}),
    Case("LOSSY_STEPS", "LossyImageCompressionMethod", CT,
         {"LossyImageCompressionMethod": ["ISO_10918_1", "ISO_15444_1"], "LossyImageCompressionRatio": "12"}),
    Case("WINDOW_WIDTH", "WindowWidth", MR, {"WindowWidth": "0.5"}, {"WindowWidth": "1", "WindowCenter": "4"}),
    Case("WINDOW_WIDTH", "WindowWidth", MR, {"WindowWidth": "0"},
         {"WindowWidth": "0.5", "WindowCenter": "4", "VOILUTFunction": "SIGMOID"}),
    Case("WINDOW_PAIRS", "WindowWidth", MR, {"WindowWidth": ["100", "200"]}, {"WindowCenter": "4", "WindowWidth": "3"}),
    Case("LUT_DESCRIPTOR", "VOILUTSequence[0].LUTData", CT, {"VOILUTSequence": lut([4, 0, 16], bytes(6))},
         {"VOILUTSequence": lut([4, 0, 16], bytes(8))}),
    Case("LUT_DESCRIPTOR", "VOILUTSequence[0].LUTData", CT, {"VOILUTSequence": lut([0, 0, 8], bytes(4))},
         {"VOILUTSequence": lut([0, 0, 8], bytes(65536))}),
    Case("LUT_BITS", "VOILUTSequence[0].LUTDescriptor", CT, {"VOILUTSequence": lut([4, 0, 17], bytes(8))}),
    Case("PALETTE_DESCRIPTORS", "BluePaletteColorLookupTableDescriptor", PALETTE,
         lambda ds: setattr(ds["BluePaletteColorLookupTableDescriptor"], "value", [256, 1, 16])),
    Case("PALETTE_LENGTH", "GreenPaletteColorLookupTableData", PALETTE, {"GreenPaletteColorLookupTableData": bytes(8)}),
    Case("PALETTE_BITS", "RedPaletteColorLookupTableDescriptor", PALETTE, lambda ds: [
        setattr(ds[f"{name}PaletteColorLookupTableDescriptor"], "value", [256, 0, 12])
        for name in ("Red", "Green", "Blue")]),
    Case("SMALLEST_LARGEST", "SmallestImagePixelValue", CT,
         {"SmallestImagePixelValue": 9, "LargestImagePixelValue": 8},
         {"SmallestImagePixelValue": -9, "LargestImagePixelValue": 8}),
    Case("ASPECT_RATIO", "PixelAspectRatio", CT, {"PixelAspectRatio": [1, 0]}, {"PixelAspectRatio": [1, 2]}),
    Case("SPACING", "PixelSpacing", CT, {"PixelSpacing": [0, 1]}),
    Case("SPACING", "ImagerPixelSpacing", CT, {"ImagerPixelSpacing": [1, -1]}),
    Case("ORIENTATION", "ImageOrientationPatient", CT, {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}),
    Case("ORIENTATION", "ImageOrientationPatient", CT, {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}),
    Case("NO_FRAME_OF_REFERENCE", "ImagePositionPatient", CT, {"FrameOfReferenceUID": ""}),
    Case("LATERALITY_UNPAIRED", "Laterality", CT, {"Laterality": "L", "BodyPartExamined": "HEAD"},
         {"Laterality": "L", "BodyPartExamined": "KNEE"}),
    Case("LATERALITY_DIFFERS", "Laterality", CT, {"Laterality": "L", "ImageLaterality": "R"},
         {"Laterality": "L", "ImageLaterality": "L"}),
    Case("MATRIX", "FrameOfReferenceTransformationMatrix", CT,
         {"FrameOfReferenceTransformationMatrix": [*RIGID[:15], 2]},
         {"FrameOfReferenceTransformationMatrix": RIGID, "FrameOfReferenceTransformationMatrixType": "RIGID"}),
    Case("MATRIX", "FrameOfReferenceTransformationMatrix", CT,
         {"FrameOfReferenceTransformationMatrix": [2, *RIGID[1:]], "FrameOfReferenceTransformationMatrixType": "RIGID"},
         {"FrameOfReferenceTransformationMatrix": [2, *RIGID[1:]],
          "FrameOfReferenceTransformationMatrixType": "AFFINE"}),
    Case("SHUTTER", "ShutterLeftVerticalEdge", CT, {"ShutterLeftVerticalEdge": 9, "ShutterRightVerticalEdge": 8},
         {"ShutterLeftVerticalEdge": 8, "ShutterRightVerticalEdge": 8}),
    Case("SHUTTER", "ShutterUpperHorizontalEdge", CT,
         {"ShutterUpperHorizontalEdge": 9, "ShutterLowerHorizontalEdge": 8}),
    Case("COLLIMATOR", "CollimatorLeftVerticalEdge", CT,
         {"CollimatorLeftVerticalEdge": 9, "CollimatorRightVerticalEdge": 8}),
    Case("COLLIMATOR", "CollimatorUpperHorizontalEdge", CT,
         {"CollimatorUpperHorizontalEdge": 9, "CollimatorLowerHorizontalEdge": 8}),
    Case("REGION", "SequenceOfUltrasoundRegions[0].RegionLocationMinX0", CT,
         {"SequenceOfUltrasoundRegions": items(item(RegionLocationMinX0=9, RegionLocationMaxX1=8))},
         {"SequenceOfUltrasoundRegions": items(item(RegionLocationMinX0=7, RegionLocationMaxX1=8))}),
    Case("REGION", "SequenceOfUltrasoundRegions[0].RegionLocationMinY0", CT,
         {"SequenceOfUltrasoundRegions": items(item(RegionLocationMinY0=9, RegionLocationMaxY1=8))}),
    Case("MAPPED_RANGE", "RealWorldValueMappingSequence[0].RealWorldValueFirstValueMapped", CT,
         at("RealWorldValueMappingSequence.0.RealWorldValueFirstValueMapped", 2),
         {"RealWorldValueMappingSequence": items(item(**MAPPING))}),
    Case("MAPPED_LUT", "RealWorldValueMappingSequence[0].RealWorldValueLUTData", CT,
         at("RealWorldValueMappingSequence.0.RealWorldValueLUTData", [1.0, 2.0, 3.0]),
         {"RealWorldValueMappingSequence": items(item(**MAPPING, RealWorldValueLUTData=[1.0, 2.0]))}),
    Case("MODALITY", "Modality", CT, {"Modality": "MR"}),
    Case("UIDS_ALIKE", "SeriesInstanceUID", CT, lambda ds: setattr(ds, "SeriesInstanceUID", ds.StudyInstanceUID)),
    Case("UID_ROOT", "SeriesInstanceUID", CT, {"SeriesInstanceUID": "1.2.840.10008.5.1.4.1.1.2"}),
    Case("MIME_TYPE", "MIMETypeOfEncapsulatedDocument", CT, {"MIMETypeOfEncapsulatedDocument": "text/plain"},
         {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1", "Modality": "DOC",
          "MIMETypeOfEncapsulatedDocument": "application/PDF"}),
    Case("DOCUMENT_LENGTH", "EncapsulatedDocumentLength", CT, {"EncapsulatedDocumentLength": 3},
         {"EncapsulatedDocument": b"%PDF-1", "EncapsulatedDocumentLength": 5}),
    Case("TIMEZONE", "TimezoneOffsetFromUTC", CT, {"TimezoneOffsetFromUTC": "+0160"},
         {"TimezoneOffsetFromUTC": "+0530"}),
    Case("TIMEZONE", "TimezoneOffsetFromUTC", CT, {"TimezoneOffsetFromUTC": "0100"},
         {"TimezoneOffsetFromUTC": "-1200"}),
    Case("SINGLE_FRAME", "NumberOfFrames", CT, {"NumberOfFrames": 2, "PixelData": bytes(128 * 128 * 2 * 2)}),
    Case("FRAME_POINTER", "FrameIncrementPointer", CT, {"FrameIncrementPointer": 0x00181065},
         {**VECTOR, "FrameIncrementPointer": 0x00181063, "FrameTime": "40"}),
    Case("VECTOR_COUNT", "FrameTimeVector", CT, {"FrameTimeVector": ["0", "1", "2"]},
         {**VECTOR, "FrameIncrementPointer": 0x00181065, "FrameTimeVector": ["0", "1"]}),
    Case("FRAME_NUMBER", "RepresentativeFrameNumber", CT, {"RepresentativeFrameNumber": 3},
         {**VECTOR, "RepresentativeFrameNumber": 2}),
    Case("FRAME_NUMBER", "SourceImageSequence[0].ReferencedFrameNumber", CT,
         lambda ds: setattr(ds, "SourceImageSequence", items(
             item(ReferencedSOPInstanceUID=ds.SOPInstanceUID, ReferencedFrameNumber=[1, 3]))),
         {**VECTOR, "SourceImageSequence": items(item(ReferencedSOPInstanceUID="1.2.3", ReferencedFrameNumber=9))}),
    Case("TRIM", "StartTrim", CT, {"StartTrim": 2, "StopTrim": 1}, {**VECTOR, "StartTrim": 1, "StopTrim": 2}),
    Case("FRAME_COUNT", "PerFrameFunctionalGroupsSequence", SEG,
         lambda ds: ds.PerFrameFunctionalGroupsSequence.pop()),
    Case("DIMENSION_COUNT", "PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0].DimensionIndexValues", SEG,
         at("PerFrameFunctionalGroupsSequence.0.FrameContentSequence.0.DimensionIndexValues", [1])),
    Case("DIMENSION_ORGANIZATION", "DimensionIndexSequence[0].DimensionOrganizationUID", CT,
         at("DimensionIndexSequence.0.DimensionOrganizationUID", "1.2.4"), DIMENSIONS),
    Case("CONCATENATION", "InConcatenationNumber", CT, {"InConcatenationNumber": 3},
         {"InConcatenationNumber": 2, "InConcatenationTotalNumber": 2, "ConcatenationFrameOffsetNumber": 5}),
    Case("CONCATENATION", "ConcatenationFrameOffsetNumber", CT, {"ConcatenationFrameOffsetNumber": 0},
         {"InConcatenationNumber": 2, "InConcatenationTotalNumber": 2, "ConcatenationFrameOffsetNumber": 5}),
    Case("IMAGE_TYPE_FRAMES", "SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence[0].FrameType", ENHANCED,
         lambda ds: setattr(ds, "SharedFunctionalGroupsSequence", items(
             item(MRImageFrameTypeSequence=items(item(FrameType=["OTHER", "PRIMARY"])))))),
    Case("TILE_COUNT", "NumberOfFrames", CT, {"TotalPixelMatrixColumns": 129}, TILED),
    Case("SEGMENT_NUMBERS", "SegmentSequence[1].SegmentNumber", CT, at("SegmentSequence.1.SegmentNumber", 3),
         {"SegmentSequence": items(item(SegmentNumber=1), item(SegmentNumber=2))}),
    Case("SEGMENT_REFERENCE", "SegmentIdentificationSequence[0].ReferencedSegmentNumber", CT,
         at("SegmentIdentificationSequence.0.ReferencedSegmentNumber", 3),
         {"SegmentSequence": items(item(SegmentNumber=1), item(SegmentNumber=2)),
          "SegmentIdentificationSequence": items(item(ReferencedSegmentNumber=2))}),
    Case("NUMBER_REPEATED", "BeamSequence", CT, at("BeamSequence.1.BeamNumber", 1), {"BeamSequence": ONE_BEAM}),
    Case("NUMBER_UNKNOWN", "FractionGroupSequence[0].ReferencedBeamSequence[0].ReferencedBeamNumber", PLAN,
         at("FractionGroupSequence.0.ReferencedBeamSequence.0.ReferencedBeamNumber", 7)),
    Case("NUMBER_UNKNOWN", "ROIContourSequence[0].ReferencedROINumber", SET,
         at("ROIContourSequence.0.ReferencedROINumber", 77)),
    Case("LAYER_UNKNOWN", "GraphicAnnotationSequence[0].GraphicLayer", CT,
         at("GraphicAnnotationSequence.0.GraphicLayer", "OTHER"), GRAPHIC),
    Case("GRAPHIC_DATA", OBJECT.replace(".0.", "[0].") + "GraphicData", CT, at(OBJECT + "GraphicType", "POINT"),
         GRAPHIC),
    Case("GRAPHIC_DATA", OBJECT.replace(".0.", "[0].") + "GraphicData", CT, at(OBJECT + "NumberOfGraphicPoints", 3),
         GRAPHIC),
    Case("CONTOUR_DATA", "ROIContourSequence[0].ContourSequence[0].ContourData", SET,
         at("ROIContourSequence.0.ContourSequence.0.NumberOfContourPoints", 99)),
    Case("CONTOUR_POINT", "ROIContourSequence[0].ContourSequence[0].NumberOfContourPoints", SET,
         at("ROIContourSequence.0.ContourSequence.0.ContourGeometricType", "POINT")),
    Case("DVH_DATA", "DVHSequence[0].DVHData", CT, at("DVHSequence.0.DVHNumberOfBins", 3),
         {"DVHSequence": items(item(DVHNumberOfBins=2, DVHData=["1", "2", "3", "4"]))}),
    Case("SURFACE_POINTS", "SurfacePointsSequence[0].PointCoordinatesData", CT,
         at("SurfacePointsSequence.0.NumberOfSurfacePoints", 3),
         {"SurfacePointsSequence": items(item(NumberOfSurfacePoints=2, PointCoordinatesData=bytes(24)))}),
    Case("WAVEFORM_DATA", "WaveformSequence[0].WaveformData", ECG,
         at("WaveformSequence.0.NumberOfWaveformSamples", 9999)),
    Case("WAVEFORM_CHANNELS", "WaveformSequence[1].ChannelDefinitionSequence", ECG,
         lambda ds: ds.WaveformSequence[1].ChannelDefinitionSequence.pop()),
    Case("WAVEFORM_BITS", "WaveformSequence[0].ChannelDefinitionSequence[2].WaveformBitsStored", ECG,
         at("WaveformSequence.0.ChannelDefinitionSequence.2.WaveformBitsStored", 17)),
    Case("WAVEFORM_FORM", "WaveformSequence[0].WaveformBitsAllocated", ECG,
         at("WaveformSequence.0.WaveformSampleInterpretation", "SB")),
    Case("OVERLAY_SHORT", "OverlayData", OVERLAY, overlay(0x0010, "US", 5000)),
    Case("OVERLAY_LONG", "OverlayData", OVERLAY, overlay(0x0010, "US", 3)),
    Case("OVERLAY_BITS", "OverlayBitsAllocated", OVERLAY, overlay(0x0100, "US", 16)),
    Case("OVERLAY_BITS", "OverlayBitPosition", OVERLAY, overlay(0x0102, "US", 1)),
    Case("NOT_ZERO", "Rows", CT, {"Rows": 0}),
    Case("NOT_ZERO", "NumberOfFrames", CT, {"NumberOfFrames": -1}),
    Case("NOT_ZERO", "RescaleSlope", CT, {"RescaleSlope": "0"}),
    Case("ZERO_UNLIKELY", "KVP", CT, {"KVP": "0"}),
]  # fmt: skip


def changed(ds: Dataset, change: Callable[[Dataset], Any] | dict[str, Any]) -> Dataset:
    if callable(change):
        change(ds)
    else:
        for keyword, value in change.items():
            setattr(ds, keyword, deepcopy(value))
    return ds


def read(name: str) -> Dataset:
    return dcmread(real(name), force=True)


def found(ds: Dataset) -> Counter[tuple[str, str]]:
    return Counter((one.code, one.path) for one in findings(ds))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.path.rpartition('.')[2]}")
def test_broken_rule(case: Case) -> None:
    before = found(read(case.file))
    ds = changed(read(case.file), case.first or {})
    assert found(ds) == before
    assert found(changed(ds, case.change)) - before == Counter([(case.code, case.path)])


def test_form_of_pixel_data() -> None:
    """Encapsulated pixel data in a native transfer syntax, and the reverse."""
    for name, old, new in ((RLE, b"1.2.5\0", b"1.2.1\0"), ("CT_small.dcm", b"1.2.1\0", b"1.2.5\0")):
        data = real(name).read_bytes()
        wrong = data.replace(b"1.2.840.10008." + old, b"1.2.840.10008." + new, 1)
        more = Counter((one.code, one.path) for one in findings(wrong))
        more.subtract((one.code, one.path) for one in findings(data))
        assert {key: count for key, count in more.items() if count} == {("PIXEL_FORM", "PixelData"): 1}


@pytest.mark.parametrize(
    ("code", "path", "keyword", "value"),
    [
        ("MEDIA_SOP_CLASS", "SOPClassUID", "MediaStorageSOPClassUID", "1.2.840.10008.5.1.4.1.1.2"),
        ("MEDIA_SOP_INSTANCE", "SOPInstanceUID", "MediaStorageSOPInstanceUID", "1.2.3"),
    ],
)
def test_file_meta_information(code: str, path: str, keyword: str, value: str) -> None:
    """What the file meta information of a file says of the object behind it."""
    ds = read(MR)
    setattr(ds.file_meta, keyword, value)
    assert [(one.code, one.path) for one in findings(to_bytes(ds, enforce_standard=False))] == [(code, path)]
    assert findings(to_bytes(ds)) == findings(ds) == []


def test_every_rule_is_broken() -> None:
    """Each code of the table has a case."""
    assert {case.code for case in CASES} | {"PIXEL_FORM", "MEDIA_SOP_CLASS", "MEDIA_SOP_INSTANCE"} == {
        code.name for number, code in CODES.items() if number >= 100 or code.name == "FRAME_COUNT"
    }


def test_legal_things_find_nothing() -> None:
    """What a rule might take for a fault and is none."""
    legal: list[dict[str, Any]] = [
        {"PixelSpacing": [0, 1], "Rows": 1, "Columns": 128 * 128},
        {"ReferencedImageSequence": items(item(ReferencedFrameNumber=900, ReferencedSOPInstanceUID="1.2.3"))},
        {"OriginalAttributesSequence": items(item(ModifiedAttributesSequence=items(item(Rows=0, BitsStored=99))))},
        {"PlanarConfiguration": 1},
        {"WindowCenter": ["1", "2"], "WindowWidth": ["1", "2"]},
        {"StartTrim": 1, "StopTrim": 5},
        {"RepresentativeFrameNumber": 5},
        {"NumberOfFrames": 1, "RepresentativeFrameNumber": 5, "ConcatenationUID": "1.2.3"},
    ]
    for change in legal:
        assert found(changed(read(CT), change)) == found(read(CT)), change


def reviewed() -> dict[tuple[str, str], str]:
    with REVIEWED.open(encoding="utf-8", newline="") as lines:
        return {(row["file"], row["code"]): row["why"] for row in csv.DictReader(lines)}


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_real_files() -> None:
    """Each finding over real files, notes apart, stands in the reviewed table."""
    every, seen = reviewed(), set()
    for one in dicom_files():
        try:
            found = findings(dcmread(one.path, force=True))
        except DicomError:
            continue
        seen |= {(one.name, finding.code) for finding in found if finding.severity != "note"}
    assert seen - set(every) == set()
    assert all(every.values())


def test_file_path_and_bytes_alike() -> None:
    for name in (CT, ENHANCED, "image_dfl.dcm", OVERLAY, ECG):
        path = real(name)
        assert findings(path) == findings(path.read_bytes()) == findings(dcmread(path))


def test_truncated_everywhere() -> None:
    for name in ("rtstruct.dcm", "rtplan.dcm", "nested_priv_SQ.dcm"):
        data = real(name).read_bytes()
        for size in range(len(data)):
            with suppress(DicomError):
                findings(dcmread(data[:size], force=True), texts=True)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_hostile_bytes(data: st.DataObject) -> None:
    """Bytes of a real file changed anywhere: findings or a DicomError, nothing else."""
    name = data.draw(st.sampled_from([PLAN, SET, CT, ECG, "liver_1frame.dcm", "emri_small_RLE.dcm"]))
    damaged = bytearray(real(name).read_bytes()[:20000])
    places = st.tuples(st.integers(128, len(damaged) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(places, min_size=1, max_size=12)):
        damaged[place] = value
    with suppress(DicomError):
        findings(dcmread(bytes(damaged), force=True), texts=True)


def test_many_findings_are_counted_in_one() -> None:
    ds = read(SEG)
    for frame in ds.PerFrameFunctionalGroupsSequence:
        frame.FrameContentSequence[0].DimensionIndexValues = [1]
    one = [finding for finding in findings(ds) if finding.code == "DIMENSION_COUNT"]
    assert [(finding.count, finding.path.count("[0]")) for finding in one] == [(ds.NumberOfFrames, 2)]


def test_findings_are_cut() -> None:
    ds = read(CT)
    ds.StructureSetROISequence = items(*(item(ROINumber=number // 2) for number in range(2400)))
    found = findings(ds)
    assert len(found) == 1001
    assert (found[-1].code, found[-1].message) == ("FINDINGS_CUT", "201 more findings were left out")


def test_the_last_of_two_elements_counts() -> None:
    """As for a reader of the data set."""
    data = real(CT).read_bytes()
    at = data.index(b"\x28\x00\x01\x01US\x02\x00")
    bits = data[at : at + 8]
    for values, codes in (((99, 16), set()), ((16, 99), {"BITS_STORED"})):
        twice = b"".join(bits + value.to_bytes(2, "little") for value in values)
        found = findings(data[:at] + twice + data[at + 10 :])
        assert {one.code for one in found if one.severity == "error"} == codes


def test_many_references_take_no_square_of_time() -> None:
    """20,000 items that refer to 20,000 others."""
    ds = read(CT)
    ds.StructureSetROISequence = items(*(item(ROINumber=number) for number in range(20000)))
    ds.ROIContourSequence = items(*(item(ReferencedROINumber=number + 1) for number in range(20000)))
    assert found(ds) - found(read(CT)) == Counter([("NUMBER_UNKNOWN", "ROIContourSequence[19999].ReferencedROINumber")])
