"""Encapsulated documents: PDF, CDA and 3D models in and out of DICOM (PS3.3 A.45, A.85, C.24.2)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomcore.dataset.building import Plain
from dicomcore.dataset.code import Code, code_of
from dicomcore.dataset.lookup import number_of, text_of
from dicomcore.errors import ParseError
from dicomcore.issues import Issue
from dicomcore.objects.modules import new_object, reference_to, referenced_series, set_attributes
from dicomcore.tags import Tag
from dicomcore.uids import UID, generate_uid

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Document", "encapsulate", "extract"]

STORAGE = "1.2.840.10008.5.1.4.1.1.104."
LONGEST = 0xFFFFFFFE
STL_HEADER, STL_FACET = 84, 50
CDA_ID = re.compile(rb"<(?:\w{1,32}:)?id\s[^>]{1,1024}>")
CDA_ROOT = re.compile(rb"""\sroot\s*=\s*["']([^"']*)""")
CDA_EXTENSION = re.compile(rb"""\sextension\s*=\s*["']([^"']*)""")
MILLIMETRE = Code("mm", "UCUM", "mm")


class Kind(NamedTuple):
    """One kind of document: its SOP class, MIME type (PS3.3 C.24.2), modality and the usual end of file names."""

    sop_class: str
    mime_type: str
    modality: str
    suffix: str


KINDS = {
    "pdf": Kind(STORAGE + "1", "application/pdf", "DOC", ".pdf"),
    "cda": Kind(STORAGE + "2", "text/XML", "DOC", ".xml"),
    "stl": Kind(STORAGE + "3", "model/stl", "M3D", ".stl"),
    "obj": Kind(STORAGE + "4", "model/obj", "M3D", ".obj"),
    "mtl": Kind(STORAGE + "5", "model/mtl", "M3D", ".mtl"),
}
MODELS = ("stl", "obj", "mtl")


@dataclass(frozen=True, slots=True)
class Document:
    """A document out of a data set."""

    data: bytes
    mime_type: str
    title: str
    suffix: str
    """The end of a file name for it: .pdf, .xml, .stl, .obj, .mtl, or .bin."""
    concept: Code | None = None
    """What kind of document it is (Concept Name Code Sequence)."""
    issues: tuple[Issue, ...] = ()
    """DOCUMENT_LENGTH: it is shorter or longer than Encapsulated Document Length says."""


def extract(data_set: Dataset, *, strict: bool = False) -> Document:
    """Take the document out of an encapsulated document; without the byte that pads it to even length.

    A length that isn't the stated one is in the document's `issues`, and with `strict` raises ParseError: a shorter
    document was cut. Raises ParseError where there is none.
    """
    if "EncapsulatedDocument" not in data_set:
        raise ParseError("the data set has no Encapsulated Document (0042,0011)")
    held = data_set.EncapsulatedDocument
    data = held if isinstance(held, bytes) else bytes(data_set["EncapsulatedDocument"].raw or b"")
    mime_type = (text_of(data_set, "MIMETypeOfEncapsulatedDocument") or "").strip()
    length = number_of(data_set, "EncapsulatedDocumentLength")
    if isinstance(length, int) and length == len(data) - 1:
        data = data[:length]
    elif length is None and mime_type != "model/stl":
        data = data.removesuffix(b"\0")  # before 2019 nothing told the length
    issues: tuple[Issue, ...] = ()
    if isinstance(length, int) and length != len(data):
        said = f"the document has {len(data)} bytes, and Encapsulated Document Length (0042,0015) says {length}"
        offset = data_set["EncapsulatedDocument"].offset
        if strict:
            raise ParseError(said, offset=offset, tag=int(Tag("EncapsulatedDocument")))
        issues = (Issue("DOCUMENT_LENGTH", Tag("EncapsulatedDocument"), offset or 0, said),)
    return Document(
        data,
        mime_type,
        text_of(data_set, "DocumentTitle") or "",
        _suffix(text_of(data_set, "SOPClassUID"), mime_type),
        code_of(data_set, "ConceptNameCodeSequence"),
        issues,
    )


def _suffix(sop_class: str | None, mime_type: str) -> str:
    for kind in KINDS.values():
        if kind.mime_type.lower() == mime_type.lower() or kind.sop_class == sop_class:
            return kind.suffix
    return ".bin"


def encapsulate(
    document: str | os.PathLike[str] | bytes | bytearray | memoryview,
    *,
    kind: str | None = None,
    title: str = "",
    concept: Code | None = None,
    source: Dataset | None = None,
    unit: Code = MILLIMETRE,
    burned_in: bool = True,
    attributes: Mapping[str, Any] | None = None,
) -> Dataset:
    """Make an encapsulated document object of a file or its bytes, ready to be saved.

    `kind` is "pdf", "cda", "stl", "obj" or "mtl"; None has it told by the content, or by the end of the file's name.
    `source`, a data set of the patient, gives patient, study and (for models) frame of reference, and is named as the
    source. `concept` says what kind of document it is, `unit` what a model's coordinates are in, `burned_in` whether
    the document shows who the patient is. `attributes` are set at last, by keyword.

    Raises ValueError for what is no document of its kind, OSError as open() does.
    """
    name = "" if isinstance(document, bytes | bytearray | memoryview) else os.fspath(document)
    data = bytes(document) if isinstance(document, bytes | bytearray | memoryview) else Path(document).read_bytes()
    if len(data) > LONGEST:
        raise ValueError(f"a document of {len(data)} bytes is too long for one value")
    chosen = kind or _told(data, name)
    if chosen not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {chosen!r}")
    _check(chosen, data)
    what = KINDS[chosen]
    made = new_object(source, what.sop_class, what.modality)
    plain: Plain = {
        "AcquisitionDateTime": "",
        "BurnedInAnnotation": "YES" if burned_in else "NO",
        "DocumentTitle": title or (Path(name).name if name else ""),
        "ConceptNameCodeSequence": [] if concept is None else [concept.plain()],
        "MIMETypeOfEncapsulatedDocument": what.mime_type,
        "EncapsulatedDocumentLength": len(data),
    }
    if chosen in MODELS:
        plain |= _model(chosen, source, unit)
    else:
        plain["ConversionType"] = "WSD"
    if chosen == "cda":
        plain["HL7InstanceIdentifier"] = _instance_identifier(data, attributes or {})
    if source is not None and "SOPInstanceUID" in source:
        plain |= {"SourceInstanceSequence": [reference_to(source)]}
        if chosen in MODELS:
            plain |= referenced_series([source], made.StudyInstanceUID)
    made.EncapsulatedDocument = data + b"\0" * (len(data) % 2)
    return set_attributes(set_attributes(made, plain), attributes)


def _instance_identifier(data: bytes, attributes: Mapping[str, Any]) -> str:
    """Root and extension of a CDA document's own id, its first (PS3.3 C.24.2), as ``root^extension``."""
    found = CDA_ID.search(data, data.find(b"ClinicalDocument"))
    root = CDA_ROOT.search(found[0]) if found else None
    if found is None or root is None:
        if "HL7InstanceIdentifier" in attributes:
            return ""
        raise ValueError("the CDA document has no id: give HL7InstanceIdentifier among the attributes")
    extension = CDA_EXTENSION.search(found[0])
    parts = [root[1], *([extension[1]] if extension else [])]
    return unescape(b"^".join(parts).decode("utf-8", "replace"))


def _model(kind: str, source: Dataset | None, unit: Code) -> Plain:
    """Manufacturing 3D Model and Frame of Reference (PS3.3 C.35.1, C.7.4.1)."""
    frame = None if source is None else text_of(source, "FrameOfReferenceUID")
    made: Plain = {"BurnedInAnnotation": "NO"}
    if kind != "mtl":
        made |= {
            "MeasurementUnitsCodeSequence": [unit.plain()],
            "FrameOfReferenceUID": UID(frame) if frame else generate_uid(),
            "PositionReferenceIndicator": "",
        }
    return made


def _told(data: bytes, name: str) -> str:
    """What kind of document this is."""
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return "pdf"
    by_name = {kind.suffix: word for word, kind in KINDS.items()}
    if Path(name).suffix.lower() in by_name:
        return by_name[Path(name).suffix.lower()]
    if b"<ClinicalDocument" in data[:65536]:
        return "cda"
    if _is_stl(data):
        return "stl"
    raise ValueError(f"what kind of document this is can't be told: give kind, one of {', '.join(KINDS)}")


def _is_stl(data: bytes) -> bool:
    facets = int.from_bytes(data[STL_HEADER - 4 : STL_HEADER], "little")
    return len(data) >= STL_HEADER and len(data) == STL_HEADER + STL_FACET * facets


def _check(kind: str, data: bytes) -> None:
    if not data:
        raise ValueError("the document is empty")
    if kind == "pdf" and b"%PDF-" not in data[:1024]:
        raise ValueError("this is no PDF: %PDF- is not at its beginning")
    if kind == "cda" and b"ClinicalDocument" not in data:
        raise ValueError("this is no CDA document: it has no ClinicalDocument")
    if kind == "stl" and not _is_stl(data):
        raise ValueError("this is no binary STL, which is the only one allowed (PS3.3 A.85.1): sizes don't match")
