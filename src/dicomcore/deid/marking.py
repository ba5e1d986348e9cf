"""Marking: the elements that say of an output what was done to it (PS3.15 E.1.1, PS3.3 C.12.1.1.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dicomcore._native.deid import tables as _tables
from dicomcore.dataset import DataElement, Dataset
from dicomcore.deid.profile import EDITION
from dicomcore.encoding import encode
from dicomcore.tags import Tag
from dicomcore.uids import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from dicomcore.version import __version__

if TYPE_CHECKING:
    from dicomcore.deid.plan import Plan

__all__ = ["PIXELS", "Marks", "marks_of", "merged"]

Marks = tuple[tuple[int, bytes, bytes, bytes], ...]
"""Elements: the tag, and the bytes in implicit VR, explicit VR and explicit VR big endian."""

SYNTAXES = ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian
PIXELS = "clean_pixel_data"


def marks_of(plan: Plan, *, pixels: bool) -> Marks:
    """The elements that say what a plan does.

    `pixels` says that the pixel data was cleaned; a plan that wants it cleaned does not say so by itself.
    """
    done = plan.options - {PIXELS} | ({PIXELS} if pixels and PIXELS in plan.options else set())
    ds = Dataset()
    ds.PatientIdentityRemoved = "YES"
    ds.DeidentificationMethod = [f"PS3.15 {EDITION} basic profile", f"dicomcore {__version__}"]
    ds.DeidentificationMethodCodeSequence = [
        _code(code, meaning) for code, meaning, option in _tables.codes() if option == "basic" or option in done
    ]
    ds.LongitudinalTemporalInformationModified = (
        "UNMODIFIED" if "retain_longitudinal_full_dates" in done
        else "MODIFIED" if "retain_longitudinal_modified_dates" in done
        else "REMOVED"
    )  # fmt: skip
    if pixels:
        ds.BurnedInAnnotation = "NO"
    return tuple((int(element.tag), *_encodings(element)) for element in ds)


def merged(marks: Marks, attributes: Mapping[str, Any]) -> Marks:
    """The marks, and other attributes of the root by keyword; None for one that is left out."""
    found = {mark[0]: mark for mark in marks}
    for keyword, value in attributes.items():
        tag = Tag(keyword)
        if value is None:
            found[int(tag)] = int(tag), b"", b"", b""
        else:
            ds = Dataset()
            setattr(ds, keyword, value)
            found[int(tag)] = int(tag), *_encodings(ds[tag])
    return tuple(found[tag] for tag in sorted(found))


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _encodings(element: DataElement) -> tuple[bytes, bytes, bytes]:
    ds = Dataset()
    ds.add(element)
    implicit, explicit, big = (encode(ds, syntax) for syntax in SYNTAXES)
    return implicit, explicit, big
