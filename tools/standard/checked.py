"""The attributes that rules across attributes look for, and those that can't be zero.

``checked.h`` of `_native/rules/tables` finds either by its tag; ``slots.pxd`` of `_native/check` has the names of the
former, which have the first places. The source says for each place of an attribute whether zero is an error or only
unlikely. Here an attribute has one row for all places, so an error that does not hold in all of them is only unlikely,
and so is one that a condition rules, unless it is SURE.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pydicom.datadict import tag_for_keyword

from tools.standard.headers import array, closing, counted, opening, text

SOURCE = "not-zero rules of 2024-12 from QIICR/dicom3tools (BSD)"
BITS = 11  # of the hash of a tag; as few collisions as possible, in a table that stays in the cache
FACTOR = 0x9E3779B1

LOOKED_FOR = """
    ImageType SOPClassUID SOPInstanceUID Modality TimezoneOffsetFromUTC ReferencedSOPInstanceUID ReferencedFrameNumber
    StartTrim StopTrim FrameType BodyPartExamined ImagerPixelSpacing ShutterLeftVerticalEdge ShutterRightVerticalEdge
    ShutterUpperHorizontalEdge ShutterLowerHorizontalEdge CollimatorLeftVerticalEdge CollimatorRightVerticalEdge
    CollimatorUpperHorizontalEdge CollimatorLowerHorizontalEdge NominalScannedPixelSpacing RegionLocationMinX0
    RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1 DetectorElementSpacing
    ObjectPixelSpacingInCenterOfBeam StudyInstanceUID SeriesInstanceUID ImagePositionPatient ImageOrientationPatient
    FrameOfReferenceUID Laterality ImageLaterality DimensionIndexValues ConcatenationUID InConcatenationNumber
    InConcatenationTotalNumber DimensionOrganizationUID DimensionOrganizationSequence DimensionIndexSequence
    ConcatenationFrameOffsetNumber DimensionOrganizationType SamplesPerPixel PhotometricInterpretation
    PlanarConfiguration NumberOfFrames FrameIncrementPointer Rows Columns PixelSpacing PixelAspectRatio BitsAllocated
    BitsStored HighBit PixelRepresentation SmallestImagePixelValue LargestImagePixelValue SmallestPixelValueInSeries
    LargestPixelValueInSeries WindowCenter WindowWidth VOILUTFunction RedPaletteColorLookupTableDescriptor
    GreenPaletteColorLookupTableDescriptor BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData
    GreenPaletteColorLookupTableData BluePaletteColorLookupTableData LossyImageCompression LossyImageCompressionRatio
    LossyImageCompressionMethod LUTDescriptor LUTData RepresentativeFrameNumber FrameNumbersOfInterest
    MaskFrameNumbers NumberOfWaveformChannels NumberOfWaveformSamples ChannelDefinitionSequence WaveformBitsStored
    RealWorldValueLastValueMapped RealWorldValueLUTData RealWorldValueFirstValueMapped EncapsulatedDocument
    MIMETypeOfEncapsulatedDocument EncapsulatedDocumentLength TotalPixelMatrixColumns TotalPixelMatrixRows
    ImageOrientationSlide OpticalPathSequence OpticalPathIdentifier NumberOfOpticalPaths TotalPixelMatrixFocalPlanes
    SegmentationType SegmentSequence ReferencedSegmentNumber NumberOfSurfacePoints PointCoordinatesData GraphicLayer
    GraphicDimensions NumberOfGraphicPoints GraphicData GraphicType GraphicLayerSequence PresentationPixelSpacing
    FrameOfReferenceTransformationMatrixType ImagePlanePixelSpacing DVHNumberOfBins DVHData StructureSetROISequence
    ReferencedFrameOfReferenceUID ContourGeometricType NumberOfContourPoints ContourData ReferencedROINumber
    FrameOfReferenceTransformationMatrix DoseReferenceSequence ToleranceTableSequence FractionGroupSequence
    BeamSequence PatientSetupSequence IonBeamSequence ReferencedBeamNumber ReferencedDoseReferenceNumber
    ReferencedPatientSetupNumber ReferencedToleranceTableNumber PerFrameFunctionalGroupsSequence WaveformBitsAllocated
    WaveformSampleInterpretation WaveformData ExtendedOffsetTable ExtendedOffsetTableLengths FloatPixelData
    DoubleFloatPixelData PixelData
"""

# Attributes with a rule of their own, by what it asks: spacings, frame numbers, windows, segments.
RULED = {
    *("00181164", "00182010", "00187022", "00189404", "00280030", "00700101", "30020011"),
    *("00286010", "00286020", "00286110", "00281051", "0062000B"),
}
# Zero is a value like any other: an index that says how far an exposure is from its aim, the height of a table, angles,
# powers of lenses, a center, a temperature, and "all channels" (PS3.3 C.10.10).
PLAIN = {
    *("00181130", "00181314", "00181411", "00181413", "00181520", "00181521", "00181710", "00187001"),
    *("00220007", "00220008", "00220009", "00480111", "0040A0B0"),
}
# Zero is allowed where the standard has the attribute without a rule, or some places of the source only warn.
UNLIKELY = {"00289001", "00289002", "0040A180", "00180050", "00180088", "00181149", "00282112", "0048021E", "0048021F"}
# The condition only says when the attribute is due.
SURE = {"00081160", "00281053", "0040A163", "0040DB73", "00480014", "00700102", "00700103", "30060046"}


def looked_for() -> dict[int, str]:
    """The names of places by tag, in the order of the tags."""
    names = {tag_for_keyword(keyword) or 0: keyword for keyword in LOOKED_FOR.split()}
    assert 0 not in names, "a keyword that the dictionary does not have"
    return {tag: f"AT_{snake(names[tag])}" for tag in sorted(names)}


def snake(keyword: str) -> str:
    """A keyword in upper case, its words joined with underscores."""
    parted = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", keyword)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parted).upper()


def zeros(sources: Path) -> dict[int, int]:
    """By tag, 2 where zero is an error, 1 where it is unlikely."""
    rules = json.loads((sources / "values.json").read_text(encoding="utf-8"))["not_zero"]
    kinds: dict[str, set[str]] = defaultdict(set)
    for _, path, severity, _, condition in rules:
        tag = path.rpartition("/")[2]
        kinds[tag].add("W" if condition and tag not in SURE else severity)
    return {
        int(tag, 16): 2 if found == {"E"} and tag not in UNLIKELY else 1
        for tag, found in sorted(kinds.items())
        if tag not in RULED | PLAIN and "x" not in tag
    }


def hashed(tags: list[int]) -> list[int]:
    """The place of each tag + 1 by its hash, the next free one where that is taken; 0: none."""
    table = [0] * (1 << BITS)
    for place, tag in enumerate(tags):
        at = (tag * FACTOR & 0xFFFFFFFF) >> (32 - BITS)
        while table[at]:
            at = (at + 1) % len(table)
        table[at] = place + 1
    return table


def header(sources: Path) -> str:
    """The text of ``checked.h``."""
    zero = zeros(sources)
    tags = [*looked_for(), *sorted(set(zero) - set(looked_for()))]
    counts = (
        f"{len(looked_for())} attributes that rules look for; of {list(zero.values()).count(2)} zero is an error,"
        f" of {list(zero.values()).count(1)} it is unlikely"
    )
    lines = [*opening("CHECKED", "Attributes that rules look for, and those that can't be zero.", SOURCE, counts)]
    lines += [*counted("RULE_CHECKED", len(tags))]
    lines += [*array("uint32_t", "RULE_CHECKED_TAGS", (f"0x{tag:08X}" for tag in tags), 8), ""]
    lines += ["/* 2: zero is an error, 1: unlikely. */"]
    lines += [*array("uint8_t", "RULE_CHECKED_ZERO", (zero.get(tag, 0) for tag in tags), 32), ""]
    lines += ["/* Places in the tables above + 1, from the upper bits of tag * factor on. */"]
    lines += [f"#define RULE_CHECKED_BITS {BITS}", f"#define RULE_CHECKED_FACTOR 0x{FACTOR:X}u"]
    lines += [*array("uint16_t", "RULE_CHECKED_HASH", hashed(tags), 24)]
    return text([*lines, *closing()])


def slots() -> str:
    """The text of ``slots.pxd``."""
    return text(slot_lines())


def slot_lines() -> Iterator[str]:
    yield "# The attributes that rules across attributes look for: each has a place in the table of a level."
    yield "# Made by `python -m tools.standard`; edit that, not this."
    yield ""
    yield "cdef enum:"
    for place, (tag, name) in enumerate(looked_for().items()):
        yield f"    {name} = {place}  # {tag >> 16:04X},{tag & 0xFFFF:04X}"
    yield f"    SLOT_COUNT = {len(looked_for())}"
