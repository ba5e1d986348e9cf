"""The columns of a table: the element that each shows, and the type that follows from its VR and VM."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dicomcore._native.bulk.column import KINDS
from dicomcore.dictionary import get_entry, get_private_entry, keyword_for_tag
from dicomcore.tags import Tag, TagLike
from dicomcore.vrs import TEXTS

__all__ = ["DEFAULT_COLUMNS", "EVERY", "FRAMES", "FRAME_GROUPS", "SHARED_GROUPS", "Column", "Columns", "Step"]

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

# The type of one value, by VR. TM, DT and AS stay text: their values may be less precise than a type would claim.
KIND_OF_VR = dict.fromkeys((*TEXTS, "AT"), "text") | {
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
PIXEL_REPRESENTATION = 0x00280103  # decides between US and SS
SPECIFIC_CHARACTER_SET = 0x00080005
FRAME_GROUPS = 0x52009230  # Per-frame Functional Groups Sequence
SHARED_GROUPS = 0x52009229
CODES = {"US or SS": int.from_bytes(b"xs", "little")}
FRAMES = "number of frames with functional groups"
"""The name of an internal column that level="frame" needs and that the table does not show."""
ALL = "all"
"""Requests the column `elements`: every top-level element as text, by keyword or tag."""
EVERY = -1  # as a Step's item: all items of the sequence

STEP = re.compile(
    r"""(?P<element> 0x[0-9A-Fa-f]{8} | [A-Za-z]\w* | \(? [0-9A-Fa-f]{4} ,? [0-9A-FXa-fx]{4} \)? )
        (?: : (?P<creator> [^\[\]]+? ) )?
        (?: (?: \[ (?P<item> \d{1,9} | \* ) \] \. ) | $ )""",
    re.VERBOSE,
)


class Step(NamedTuple):
    """A sequence on the path to a nested element, and the index of its item from 0, or EVERY for all items."""

    tag: Tag
    creator: str
    item: int


class Column(NamedTuple):
    """One column: its name, the element's tag and VR, the kind of a value, and whether a cell is a list of values.

    For a private element, `creator` is its block's, and the tag has no block digits. For a nested element, `steps`
    lead to it. `kind` is "map" for the column of all elements.
    """

    name: str
    tag: Tag
    VR: str
    kind: str
    many: bool
    creator: str = ""
    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, wanted: TagLike) -> Column:
        """The column of an element by keyword, tag or path. ValueError if a column can't show the element."""
        if wanted == ALL:
            return cls("elements", Tag(0), "", "map", False)
        steps = _steps(wanted) if isinstance(wanted, str) else [Step(_tag(wanted), "", 0)]
        *parents, (tag, creator, _) = steps
        vr, vm = _vr_vm(tag, creator)
        if vr not in KIND_OF_VR:
            raise ValueError(f"{_name(tag, creator)} has VR {vr}: it makes no column")
        name = "".join(f"{_name(*step[:2])}[{'*' if step.item == EVERY else step.item}]." for step in parents)
        many = vm != "1" or any(step.item == EVERY for step in parents)
        return cls(name + _name(tag, creator), tag, vr, KIND_OF_VR[vr], many, creator, tuple(parents))

    @property
    def first(self) -> Step:
        """The first step of the path, at the top level of the data set."""
        return self.steps[0] if self.steps else Step(self.tag, self.creator, 0)

    @property
    def native(self) -> tuple[int, int, int, bool, bytes, list[tuple[int, bytes, int]]]:
        """The column as the bulk loop takes it: tag, VR code, kind, many, creator, steps."""
        code = CODES.get(self.VR) or int.from_bytes(self.VR.encode(), "little")
        steps = [(int(step.tag), step.creator.encode(), step.item) for step in self.steps]
        return int(self.tag), code, KINDS[self.kind], self.many, self.creator.encode(), steps


def _steps(text: str) -> list[Step]:
    """The elements of a path: sequences with their items, and the element at its end."""
    steps: list[Step] = []
    at = 0
    item: str | None = "0"
    while item is not None:
        match = STEP.match(text, at)
        if match is None:
            rest = f": {text[at:]!r} is neither a keyword nor a tag" if at else ""
            raise ValueError(f"{text!r} is neither a keyword, nor a tag, nor a path of PS3.6{rest}: it makes no column")
        at, item = match.end(), match["item"]
        number = EVERY if item == "*" else int(item or 0)
        steps.append(Step(*_element(match["element"], match["creator"]), number))
        if item is not None and not steps[-1].creator and _vr_vm(steps[-1].tag, "")[0] != "SQ":
            raise ValueError(f"{text!r} makes no column: {match['element']} is no sequence")
    return steps


def _element(text: str, creator: str | None) -> tuple[Tag, str]:
    digits = text.strip("()").replace(",", "").lower().removeprefix("0x")
    if creator is None:
        return _tag(digits if len(digits) == 8 and digits.isalnum() and digits[0].isdecimal() else text), ""
    if len(digits) != 8 or not int(digits[:4], 16) % 2:
        raise ValueError(f"{text}:{creator} is no column: a private tag is gggg,xxee with an odd group")
    return Tag(int(digits[:4], 16), int(digits[6:], 16)), creator.strip()


def _tag(wanted: TagLike) -> Tag:
    try:
        return Tag(wanted)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{wanted!r} is neither a keyword nor a tag of PS3.6: it makes no column") from None


def _vr_vm(tag: Tag, creator: str) -> tuple[str, str]:
    if creator:
        try:
            vr, vm = get_private_entry(Tag(tag.group, 0x1000 | tag.element), creator)[:2]
        except KeyError:  # the dictionary does not have this creator: show the file's value as text
            return "UC", "1"
        return (vr, vm) if vr in KIND_OF_VR else ("UC", "1")
    try:
        return get_entry(tag)[:2]
    except KeyError:
        why = "needs its creator, as in 0019xx08:CREATOR" if tag.is_private else "is no tag of PS3.6"
        raise ValueError(f"{tag} {why}: it makes no column") from None


def _name(tag: Tag, creator: str) -> str:
    if creator:
        return f"{tag.group:04x}xx{tag.element:02x}:{creator}"
    return keyword_for_tag(tag) or str(tag)


class Columns:
    """The columns of one run in the caller's order, and in `native` in the bulk loop's form, ascending by tag.

    `level` is "file" or "frame"; `content_hash` and `pixel_hash` are algorithms of hashlib, or None for no column.
    """

    def __init__(
        self,
        wanted: Iterable[TagLike] = DEFAULT_COLUMNS,
        *,
        level: str = "file",
        content_hash: str | None = None,
        pixel_hash: str | None = None,
    ) -> None:
        if isinstance(wanted, str):
            raise TypeError("columns is a list of keywords or tags, not one text")
        if level not in ("file", "frame"):
            raise ValueError(f"{level!r} is no level of rows: there are 'file' and 'frame'")
        self.level, self.content_hash, self.pixel_hash = level, _checked(content_hash), _checked(pixel_hash)
        shown = [Column.of(element) for element in wanted]
        if level == "frame" and all(column.name != "DimensionIndexValues" for column in shown):
            shown.append(Column.of("DimensionIndexValues"))
        self.shown = tuple(shown)
        names = [column.name for column in self.shown]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"columns that are requested twice: {', '.join(sorted(twice))}")
        self.has_map = any(column.kind == "map" for column in self.shown)
        self.has_extras = self.has_map or bool(content_hash or pixel_hash)
        """Whether there are columns that the bulk loop does not fill."""
        filled = [column for column in self.shown if column.kind != "map"]
        if level == "frame":
            filled.append(Column(FRAMES, Tag(FRAME_GROUPS), "SQ", "int32", False))
        self.by_tag = tuple(sorted(filled, key=lambda column: (column.first.tag, column.name)))
        self.native = [column.native for column in self.by_tag]
        self.tags = [tag for column in self.by_tag for tag in _tags_of(column.first)]
        if any(column.VR == "US or SS" for column in self.shown):
            self.tags.append(PIXEL_REPRESENTATION)
        self.stop_tag = max(*self.tags, SPECIFIC_CHARACTER_SET, 0) + 1


def _checked(algorithm: str | None) -> str | None:
    """The lower-case name of a hash whose digest has a fixed length; ValueError for other algorithms."""
    if algorithm is None:
        return None
    name = algorithm.lower()
    if name not in hashlib.algorithms_guaranteed or name.startswith("shake"):
        known = ", ".join(sorted(name for name in hashlib.algorithms_guaranteed if not name.startswith("shake")))
        raise ValueError(f"{algorithm!r} is no known hash: there are {known}")
    return name


def _tags_of(step: Step) -> Iterator[int]:
    """The top-level tags to read for a step: of a private element, its creator and itself in every block."""
    if not step.creator:
        yield int(step.tag)
        return
    for block in range(0x10, 0x100):
        yield step.tag.group << 16 | block
        yield step.tag.group << 16 | block << 8 | step.tag.element
