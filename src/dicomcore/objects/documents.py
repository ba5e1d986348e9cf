"""Encapsulated documents: PDF, CDA and 3D models, put into DICOM and extracted (PS3.3 A.45, A.85, C.24.2)."""

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
    """A kind of document: its SOP class, MIME type (PS3.3 C.24.2), modality and usual file name extension."""

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
    """A document that was extracted from a data set."""

    data: bytes
    mime_type: str
    title: str
    suffix: str
    """A file name extension for it: .pdf, .xml, .stl, .obj, .mtl, or .bin."""
    concept: Code | None = None
    """Code of the type of document (Concept Name Code Sequence)."""
    issues: tuple[Issue, ...] = ()
    """DOCUMENT_LENGTH: the document is shorter or longer than Encapsulated Document Length states."""


def extract(data_set: Dataset, *, strict: bool = False) -> Document:
    """Extract the document from an encapsulated document, without the byte that pads it to even length.

    A length other than the stated one is listed in the `issues` of the document, or raises ParseError with `strict`: a
    shorter document is truncated. A data set without a document raises ParseError, too.
    """
    if "EncapsulatedDocument" not in data_set:
        raise ParseError("the data set has no Encapsulated Document (0042,0011)")
    value = data_set.EncapsulatedDocument
    data = value if isinstance(value, bytes) else bytes(data_set["EncapsulatedDocument"].raw or b"")
    mime_type = (text_of(data_set, "MIMETypeOfEncapsulatedDocument") or "").strip()
    length = number_of(data_set, "EncapsulatedDocumentLength")
    if isinstance(length, int) and length == len(data) - 1:
        data = data[:length]
    elif length is None and mime_type != "model/stl":
        data = data.removesuffix(b"\0")  # before 2019 no attribute stated the length
    issues: tuple[Issue, ...] = ()
    if isinstance(length, int) and length != len(data):
        message = f"the document has {len(data)} bytes, but Encapsulated Document Length (0042,0015) says {length}"
        offset = data_set["EncapsulatedDocument"].offset
        if strict:
            raise ParseError(message, offset=offset, tag=int(Tag("EncapsulatedDocument")))
        issues = (Issue("DOCUMENT_LENGTH", Tag("EncapsulatedDocument"), offset or 0, message),)
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
    """Make an encapsulated document object from a file or its bytes, ready to be saved.

    Parameters
    ----------
    document : path or bytes-like
        The file, or its content.
    kind : str, optional
        "pdf", "cda", "stl", "obj" or "mtl"; by default recognised by the content, or by the file name extension.
    title : str
        Document Title; by default the file name.
    concept : Code, optional
        Code of the type of document (Concept Name Code Sequence).
    source : Dataset, optional
        A data set of the patient. Patient, study and, for models, frame of reference are taken from it, and the
        document refers to it as its source. Without it patient and study are new and nameless.
    unit : Code
        Unit of the coordinates of a model.
    burned_in : bool
        Burned In Annotation: whether the document shows the identity of the patient. Models always have NO.
    attributes : mapping, optional
        More attributes by keyword. They are set last, over those made here.

    Returns
    -------
    Dataset
        The encapsulated document.

    Raises
    ------
    ValueError
        The document is empty, too long, or not of its kind; or its kind cannot be recognised.
    OSError
        The file cannot be read.
    """
    name = "" if isinstance(document, bytes | bytearray | memoryview) else os.fspath(document)
    data = bytes(document) if isinstance(document, bytes | bytearray | memoryview) else Path(document).read_bytes()
    if len(data) > LONGEST:
        raise ValueError(f"a document of {len(data)} bytes is too long for one value")
    chosen = kind or _recognised(data, name)
    if chosen not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {chosen!r}")
    _check(chosen, data)
    properties = KINDS[chosen]
    data_set = new_object(source, properties.sop_class, properties.modality)
    plain: Plain = {
        "AcquisitionDateTime": "",
        "BurnedInAnnotation": "YES" if burned_in else "NO",
        "DocumentTitle": title or (Path(name).name if name else ""),
        "ConceptNameCodeSequence": [] if concept is None else [concept.plain()],
        "MIMETypeOfEncapsulatedDocument": properties.mime_type,
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
            plain |= referenced_series([source], data_set.StudyInstanceUID)
    data_set.EncapsulatedDocument = data + b"\0" * (len(data) % 2)
    return set_attributes(set_attributes(data_set, plain), attributes)


def _instance_identifier(data: bytes, attributes: Mapping[str, Any]) -> str:
    """Return the id of a CDA document, its first id element (PS3.3 C.24.2), as ``root^extension``."""
    element = CDA_ID.search(data, data.find(b"ClinicalDocument"))
    root = CDA_ROOT.search(element[0]) if element else None
    if element is None or root is None:
        if "HL7InstanceIdentifier" in attributes:
            return ""
        raise ValueError("the CDA document has no id: give HL7InstanceIdentifier in the attributes")
    extension = CDA_EXTENSION.search(element[0])
    parts = [root[1], *([extension[1]] if extension else [])]
    return unescape(b"^".join(parts).decode("utf-8", "replace"))


def _model(kind: str, source: Dataset | None, unit: Code) -> Plain:
    """Return the attributes of Manufacturing 3D Model and Frame of Reference (PS3.3 C.35.1, C.7.4.1)."""
    frame = None if source is None else text_of(source, "FrameOfReferenceUID")
    attributes: Plain = {"BurnedInAnnotation": "NO"}
    if kind != "mtl":
        attributes |= {
            "MeasurementUnitsCodeSequence": [unit.plain()],
            "FrameOfReferenceUID": UID(frame) if frame else generate_uid(),
            "PositionReferenceIndicator": "",
        }
    return attributes


def _recognised(data: bytes, name: str) -> str:
    """Recognise the kind of a document by its content and its file name."""
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return "pdf"
    by_name = {kind.suffix: word for word, kind in KINDS.items()}
    if Path(name).suffix.lower() in by_name:
        return by_name[Path(name).suffix.lower()]
    if b"<ClinicalDocument" in data[:65536]:
        return "cda"
    if _is_stl(data):
        return "stl"
    raise ValueError(f"the kind of document cannot be recognised: give kind, one of {', '.join(KINDS)}")


def _is_stl(data: bytes) -> bool:
    facets = int.from_bytes(data[STL_HEADER - 4 : STL_HEADER], "little")
    return len(data) >= STL_HEADER and len(data) == STL_HEADER + STL_FACET * facets


def _check(kind: str, data: bytes) -> None:
    if not data:
        raise ValueError("the document is empty")
    if kind == "pdf" and b"%PDF-" not in data[:1024]:
        raise ValueError("this is not a PDF: %PDF- is not at its beginning")
    if kind == "cda" and b"ClinicalDocument" not in data:
        raise ValueError("this is not a CDA document: it has no ClinicalDocument")
    if kind == "stl" and not _is_stl(data):
        raise ValueError("this is not binary STL, the only form allowed (PS3.3 A.85.1): sizes do not match")
