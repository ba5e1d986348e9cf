"""Columns: which element each shows, and the type that its VR and VM give it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dicomcore._native.extract import KINDS
from dicomcore.dictionary import get_entry
from dicomcore.tags import Tag, TagLike

__all__ = ["DEFAULT_COLUMNS", "FACTS", "FINDINGS", "Column", "Columns"]

FACTS = ("path", "size", "mtime", "etag")
"""What every row begins with."""
FINDINGS = ("issues", "error")
"""And ends with."""

DEFAULT_COLUMNS = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "StudyInstanceUID",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "AccessionNumber",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SeriesDate",
    "SeriesTime",
    "SeriesDescription",
    "ProtocolName",
    "Modality",
    "BodyPartExamined",
    "SOPInstanceUID",
    "SOPClassUID",
    "TransferSyntaxUID",
    "InstanceNumber",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentDate",
    "ImageType",
    "InstitutionName",
    "Manufacturer",
    "ManufacturerModelName",
    "FrameOfReferenceUID",
    "SliceThickness",
    "SpacingBetweenSlices",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)

# The type of one value, by VR. TM, DT and AS stay text: they may be less precise than any type would say.
TEXT_VRS = frozenset(("AE", "AS", "CS", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"))
KIND_OF_VR = dict.fromkeys((*TEXT_VRS, "AT"), "text") | {
    "DA": "date",
    "DS": "float64",
    "FD": "float64",
    "FL": "float32",
    "IS": "int64",
    "SL": "int32",
    "SS": "int32",
    "SV": "int64",
    "UL": "int64",
    "US": "int32",
    "US or SS": "int32",
    "UV": "uint64",
}
PIXEL_REPRESENTATION = 0x00280103  # what US or SS depends on
SPECIFIC_CHARACTER_SET = 0x00080005
CODES = {"US or SS": int.from_bytes(b"xs", "little")}


class Column(NamedTuple):
    """One column: its name, the element's tag and VR, the kind of a value, and whether it is a list of them."""

    name: str
    tag: Tag
    VR: str
    kind: str
    many: bool

    @classmethod
    def of(cls, wanted: TagLike) -> Column:
        """The column of an element by keyword or tag. ValueError for what no column can show."""
        try:
            tag = Tag(wanted)
            vr, vm, _, _, keyword = get_entry(tag)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ValueError(f"{wanted!r} is neither a keyword nor a tag of PS3.6: it makes no column") from None
        if vr not in KIND_OF_VR:
            raise ValueError(f"{keyword or tag} has VR {vr}: it makes no column")
        return cls(keyword or str(tag), tag, vr, KIND_OF_VR[vr], vm != "1")


class Columns:
    """The columns of one run, as the caller orders them; `native` as the bulk loop wants them, ascending by tag."""

    def __init__(self, wanted: Iterable[TagLike] = DEFAULT_COLUMNS) -> None:
        if isinstance(wanted, str):
            raise TypeError("columns is a list of keywords or tags, not one text")
        self.shown = tuple(Column.of(one) for one in wanted)
        names = [column.name for column in self.shown]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"columns that are asked for twice: {', '.join(sorted(twice))}")
        self.by_tag = tuple(sorted(self.shown, key=lambda column: column.tag))
        self.native = [
            (
                int(column.tag),
                CODES.get(column.VR) or int.from_bytes(column.VR.encode(), "little"),
                KINDS[column.kind],
                column.many,
            )
            for column in self.by_tag
        ]
        self.tags = [int(column.tag) for column in self.by_tag]
        if any(column.VR == "US or SS" for column in self.shown):
            self.tags.append(PIXEL_REPRESENTATION)
        self.stop_tag = max(*self.tags, SPECIFIC_CHARACTER_SET, 0) + 1
