"""Files of the de-identification set while they are filled, and the lines of its answer key."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from benches.deid_people import Person, UidMaker, da
from tests.support import corpus, standard

OPTIONS = (
    "clean_descriptors",
    "clean_structured_content",
    "clean_graphics",
    "clean_pixel_data",
    "retain_longitudinal_modified_dates",
    "retain_patient_characteristics",
    "retain_safe_private",
)
ACTIONS = (
    "tag_retained", "text_notnull", "text_retained", "text_removed", "date_shifted", "uid_changed", "uid_consistent",
    "patid_consistent", "pixels_hidden", "pixels_retained",
)  # fmt: skip
KEEPING = frozenset(["tag_retained", "text_notnull", "text_retained", "pixels_retained"])
DIRECTORY = "1.2.840.10008.1.3.10"
SMALL = ("CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "MR_small.dcm")
HELD_OUT = {
    "CT_small.dcm": "CT1_JLSN.dcm",
    "MR_small.dcm": "MR1_J2KI",
    "MR_small_implicit.dcm": "24x38x3/image/IMG0001.dcm",
    "MR_small_bigendian.dcm": "ExplVR_BigEnd.dcm",
    "23x38x3/multiframe/mf.dcm": "24x38x3/multiframe/mf.dcm",
    "liver_1frame.dcm": "liver_expb_1frame.dcm",
    "SC_rgb_rle.dcm": "SC_rgb_rle_16bit.dcm",
    "SC_rgb_small_odd.dcm": "SC_rgb_small_odd_big_endian.dcm",
    "examples_rgb_color.dcm": "VL2_RLE",
    "693_UNCR.dcm": "JPEGLossless_1s_1f_u_16_12.dcm",
    "examples_overlay.dcm": "MR2_RLE",
    "examples_jpeg2k.dcm": "color-px.dcm",
    "examples_ybr_color.dcm": "JPEGLosslessP14SV1_3s_2f_u_08_08.dcm",
}
"""Other files for the second set, which nothing was adjusted to; of those that are not named there is one only."""
PLAIN_VRS = frozenset(["DS", "IS", "CS", "US", "SS", "FL", "FD", "UL", "SL"])
STUDY_TIME = "104512"
NOT_PLAIN = frozenset(["00080005", "00200013", "00280300", "00280301", "00280303", "00120062"])


@dataclass(frozen=True)
class Action:
    """One line of the key.

    `path` is where, as ``Sequence#0/Keyword``, ``00100010`` or ``(0019,GEMS_ACQU_01,23)``; empty for the whole file. In
    a DICOMDIR ``STUDY:7/Keyword`` is the record of that type that the record of the file with that number is below.
    `values` are needles, the words kept, the value kept, the date or the UID. `box` is top, left, height, width.
    """

    file: str
    sop_class: str
    number: int
    action: str
    place: str
    path: str = ""
    values: tuple[str, ...] = ()
    patient: str = ""
    box: tuple[int, ...] = ()
    optional: bool = False


@cache
def ruled() -> frozenset[str]:
    """The tags that Table E.1-1 rules, repeating groups as they stand there."""
    return frozenset(row[0] for row in standard.load("deid")["attributes"])


class File:
    """A file of the set while it is filled: its data set, and its lines of the key."""

    def __init__(self, maker: Maker, name: str, ds: Dataset, person: Person) -> None:
        self.maker, self.name, self.ds, self.person = maker, name, ds, person
        self.number = maker.next_number()
        self.edits: list[Callable[[bytes], bytes]] = []
        self.lines: list[Action] = []

    def line(self, action: str, place: str, path: str = "", *values: str, **more: Any) -> None:
        sop_class = str(self.ds.get("SOPClassUID", DIRECTORY))
        self.lines.append(Action(self.name, sop_class, self.number, action, place, path, values, **more))

    def removed(self, place: str, path: str, *needles: str) -> None:
        """`needles` shall not be found there; parts too short to look for are left out."""
        self.line("text_removed", place, path, *(one for one in needles if len(one) > 3 or (one and not one.isascii())))

    def kept(self, place: str, path: str, *words: str) -> None:
        self.line("text_retained", place, path, *words)

    def tag(self, place: str, path: str, *value: str) -> None:
        self.line("tag_retained", place, path, *value)

    def filled(self, place: str, path: str) -> None:
        self.line("text_notnull", place, path)

    def shifted(self, place: str, path: str, value: str) -> None:
        self.line("date_shifted", place, path, value, patient=self.person.id)

    def uid(self, place: str, path: str, value: str, optional: bool = False) -> None:
        self.line("uid_changed", place, path, value, optional=optional)
        self.line("uid_consistent", place, path, value, optional=optional)

    def hide(self, place: str, path: str, keyword: str, value: Any, *needles: str) -> None:
        """Set an attribute of the data set that has to lose all needles, or its whole value."""
        setattr(self.ds, keyword, value)
        self.removed(place, path or keyword, *(needles or (str(value),)))

    def add(self, tag: int, vr: str, value: Any) -> None:
        one = DataElement(tag, "OB" if vr == "UN" else vr, value)
        one.VR = vr  # pydicom would read a value in UN
        self.ds[tag] = one

    def private(self, group: int, creator: str, low: int, vr: str, value: Any) -> str:
        """Add a private element; its path."""
        self.ds.private_block(group, creator, create=True).add_new(low, vr, value)
        return f"({group:04X},{creator},{low:02X})"

    def bytes(self) -> bytes:
        """The file as it is written."""
        out = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.ds.save_as(out, enforce_file_format=True)
        data = out.getvalue()
        for edit in self.edits:
            data = edit(data)
        return data


class Maker:
    """Writes the set: `person`s, a recipe after another, the key beside them."""

    def __init__(self, folder: Path, seed: int, bases: Mapping[str, str] | None = None) -> None:
        self.folder, self.seed, self.bases = folder, seed, bases or {}
        self.uid = UidMaker(seed + 1)
        self.random = Random(seed + 2)
        self.lines: list[Action] = []
        self._number = 0
        self.seen: dict[str, str] = {}

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def open(self, base: str, person: Person, recipe: str) -> File:
        """A real file, given the identity of a person."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = pydicom.dcmread(find(self.bases.get(base, base)), force=True)
        ds.walk(_decoded)
        return self.identified(ds, person, recipe)

    def made(self, sop_class: str, modality: str, person: Person, recipe: str) -> File:
        """An object without a real file to stand on."""
        ds = Dataset()
        ds.SOPClassUID, ds.Modality, ds.Manufacturer = sop_class, modality, "Example Devices"
        return self.identified(ds, person, recipe)

    def identified(self, ds: Dataset, person: Person, recipe: str) -> File:
        file = File(self, f"{person.number:02}/{recipe}.dcm", ds, person)
        identify(file)
        return file

    def write(self, file: File) -> None:
        place = self.folder / "in" / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.bytes())
        file.removed("any identifier, anywhere in the file", "", *file.person.identifiers)
        self.lines += file.lines


def _decoded(ds: Dataset, element: DataElement) -> None:
    """Reading every value before anything is set, so that no raw bytes of another character set stay."""


def find(name: str) -> Path:
    """A file that pydicom packages, or one of the corpus."""
    for folder in ("test_files", "charset_files"):
        if (corpus.PYDICOM / folder / name).is_file():
            return corpus.PYDICOM / folder / name
    for one in corpus.dicom_files():
        if one.name.endswith("/" + name):
            return one.path
    raise FileNotFoundError(f"{name}: {corpus.ABSENT or 'not in the corpus'}")


def identify(file: File) -> None:
    """What every file has at its root: who, when, where, and UIDs; and a sample of what has to stay."""
    ds, who = file.ds, file.person
    if who.named.charset:
        ds.SpecificCharacterSet = list(who.named.charset) if len(who.named.charset) > 1 else who.named.charset[0]
    elif "SpecificCharacterSet" in ds:
        del ds.SpecificCharacterSet
    for number, keyword in enumerate(("ReferringPhysicianName", "OperatorsName", "PerformingPhysicianName")):
        file.hide("staff", "", keyword, who.staff[number], who.staff[number].split("^")[0])
    file.hide("root attributes", "", "PatientName", who.named.name, *who.named.name.replace("=", "^").split("^"))
    file.hide("root attributes", "", "PatientID", who.id)
    file.line("patid_consistent", "root attributes", "PatientID", who.id)
    file.hide("root attributes", "", "PatientBirthDate", da(who.birth))
    ds.PatientSex = who.sex
    file.tag("patient characteristics", "PatientSex", who.sex)
    ds.PatientAge = who.age
    if int(who.age[:3]) > 89:
        file.removed("ages over 89", "PatientAge", who.age)
    else:
        file.tag("patient characteristics", "PatientAge", who.age)
    file.hide("accession and request", "", "AccessionNumber", who.accession)
    file.hide("accession and request", "", "StudyID", f"SID{who.accession[3:]}")
    file.hide("institution", "", "InstitutionName", who.institution)
    file.hide("institution", "", "InstitutionalDepartmentName", who.department)
    file.hide("device", "", "StationName", who.station)
    file.hide("device", "", "DeviceSerialNumber", who.serial)
    ds.InstanceNumber = file.number
    _uids(file)
    _dates(file)
    _sample(file)


def _uids(file: File) -> None:
    ds = file.ds
    for keyword, value in (
        ("StudyInstanceUID", file.person.study_uid),
        ("SeriesInstanceUID", file.maker.uid()),
        ("SOPInstanceUID", file.maker.uid()),
    ):
        setattr(ds, keyword, value)
        file.uid("UIDs at the root", keyword, value)
    if "FrameOfReferenceUID" in ds:
        ds.FrameOfReferenceUID = file.person.frame_of_reference
        file.uid("UIDs at the root", "FrameOfReferenceUID", ds.FrameOfReferenceUID)
    if not hasattr(ds, "file_meta") or ds.file_meta is None:
        ds.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    file.uid("file meta information", "@MediaStorageSOPInstanceUID", ds.SOPInstanceUID)


def _dates(file: File) -> None:
    day = file.person.study_date
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"):
        if keyword in ("StudyDate", "SeriesDate") or keyword in file.ds:
            setattr(file.ds, keyword, da(day))
            file.shifted("dates at the root", keyword, da(day))
            day += timedelta(days=1)
    file.ds.StudyTime = STUDY_TIME


def _sample(file: File) -> None:
    """Numbers and codes that the table doesn't rule: geometry, technique, pixel description."""
    found = [
        one
        for one in file.ds
        if one.VR in PLAIN_VRS
        and not one.tag.is_private
        and f"{int(one.tag):08X}" not in ruled() | NOT_PLAIN
        and one.tag.group not in (0x0010, 0x0012, 0x0040, 0x6000)
        and one.value not in (None, "")
        and one.tag.element
    ]
    for one in sorted(file.maker.random.sample(found, min(8, len(found))), key=lambda one: one.tag):
        file.tag("geometry and technique", f"{int(one.tag):08X}", plain(one.value))
    if "PixelData" in file.ds:
        file.line("pixels_retained", "pixels of files without text")


def plain(value: Any) -> str:
    """A value as the scorer compares it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple, pydicom.multival.MultiValue)):
        return "\\".join(map(plain, value))
    if isinstance(value, (float, pydicom.valuerep.DSfloat)):
        return f"{float(value):.9g}"
    return str(value)


def item(**attributes: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def code(value: str, scheme: str, meaning: str) -> Dataset:
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def key(folder: Path) -> list[Action]:
    """The key of a set that was made."""
    found = []
    for line in (folder / "key.jsonl").read_text(encoding="utf-8").splitlines():
        read = json.loads(line)
        found.append(Action(**{**read, "values": tuple(read["values"]), "box": tuple(read["box"])}))
    return found
