"""The modules that every new object needs: whose it is, what made it, when, and what it refers to (PS3.3 C.7, C.12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.dataset.building import Plain, build
from dicomcore.uids import ExplicitVRLittleEndian, generate_uid
from dicomcore.values import format_date, format_time
from dicomcore.version import __version__

__all__ = ["new_object", "reference_to", "referenced_series", "set_attributes"]

PATIENT = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "OtherPatientIDsSequence"),
    *("EthnicGroup", "PatientComments", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("DeidentificationMethodCodeSequence", "PatientSpeciesDescription", "PatientSpeciesCodeSequence"),
    *("PatientBreedDescription", "PatientBreedCodeSequence", "ResponsiblePerson", "ResponsibleOrganization"),
)
STUDY = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber"),
    *("IssuerOfAccessionNumberSequence", "StudyDescription", "ProcedureCodeSequence", "PatientAge", "PatientSize"),
    *("PatientWeight",),
)
NEEDED = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
NEEDED_OF_STUDY = ("StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber")


def new_object(source: Dataset | None, sop_class: str, modality: str) -> Dataset:
    """Make a data set of a SOP class with patient and study of `source`, in a series of its own, made now.

    Without a source patient and study are new and nameless. The equipment is this library.
    """
    now = datetime.now()
    made = Dataset()
    for keyword in (*PATIENT, *STUDY):
        if source is not None and keyword in source:
            made[keyword] = source[keyword]
    for keyword in (*NEEDED, *NEEDED_OF_STUDY):
        if keyword not in made:
            setattr(made, keyword, "")
    if not made.get("StudyInstanceUID"):
        made.StudyInstanceUID = generate_uid()
    made.SpecificCharacterSet = "ISO_IR 192"
    if source is not None and source.get("SpecificCharacterSet"):
        made["SpecificCharacterSet"] = source["SpecificCharacterSet"]
    own = {
        "SOPClassUID": sop_class,
        "SOPInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "Modality": modality,
        "ContentDate": format_date(now.date()),
        "ContentTime": format_time(now.time()),
        "Manufacturer": "dicomcore",
        "ManufacturerModelName": "dicomcore",
        "DeviceSerialNumber": "0",
        "SoftwareVersions": __version__,
    }
    for keyword, value in own.items():
        setattr(made, keyword, value)
    made.file_meta = build({"TransferSyntaxUID": ExplicitVRLittleEndian})
    return made


def set_attributes(data_set: Dataset, attributes: Mapping[str, Any] | None) -> Dataset:
    """Lay a caller's own attributes over a new object; gives the object."""
    for keyword, value in build(attributes or {}).items():
        data_set[keyword] = value
    return data_set


def reference_to(data_set: Dataset) -> Plain:
    """The attributes that name an instance (PS3.3 10.8)."""
    return {"ReferencedSOPClassUID": data_set.SOPClassUID, "ReferencedSOPInstanceUID": data_set.SOPInstanceUID}


def referenced_series(sources: Sequence[Dataset], study: str) -> Plain:
    """The attributes of the Common Instance Reference module (PS3.3 C.12.2), for instances in `study` and elsewhere."""
    by_study: dict[str, dict[str, list[Dataset]]] = {}
    for source in sources:
        by_study.setdefault(source.StudyInstanceUID, {}).setdefault(source.SeriesInstanceUID, []).append(source)
    made: Plain = {}
    here = by_study.pop(study, None)
    if here:
        made["ReferencedSeriesSequence"] = list(_series(here.items()))
    if by_study:
        made["StudiesContainingOtherReferencedInstancesSequence"] = [
            {"StudyInstanceUID": uid, "ReferencedSeriesSequence": list(_series(series.items()))}
            for uid, series in by_study.items()
        ]
    return made


def _series(series: Iterable[tuple[str, list[Dataset]]]) -> Iterable[Plain]:
    for uid, instances in series:
        yield {"SeriesInstanceUID": uid, "ReferencedInstanceSequence": [reference_to(one) for one in instances]}
