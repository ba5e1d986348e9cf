"""The modules that every new object needs: patient, study, series, equipment and references (PS3.3 C.7, C.12)."""

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
    """Make a data set of a SOP class in a new series, with patient and study of `source` and the current time.

    Without a source, patient and study are new and nameless. The equipment is this library.
    """
    now = datetime.now()
    data_set = Dataset()
    for keyword in (*PATIENT, *STUDY):
        if source is not None and keyword in source:
            data_set[keyword] = source[keyword]
    for keyword in (*NEEDED, *NEEDED_OF_STUDY):
        if keyword not in data_set:
            setattr(data_set, keyword, "")
    if not data_set.get("StudyInstanceUID"):
        data_set.StudyInstanceUID = generate_uid()
    data_set.SpecificCharacterSet = "ISO_IR 192"
    if source is not None and source.get("SpecificCharacterSet"):
        data_set["SpecificCharacterSet"] = source["SpecificCharacterSet"]
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
        setattr(data_set, keyword, value)
    data_set.file_meta = build({"TransferSyntaxUID": ExplicitVRLittleEndian})
    return data_set


def set_attributes(data_set: Dataset, attributes: Mapping[str, Any] | None) -> Dataset:
    """Set the caller's attributes in a new object, and return the object."""
    for keyword, value in build(attributes or {}).items():
        data_set[keyword] = value
    return data_set


def reference_to(data_set: Dataset) -> Plain:
    """Return the attributes that refer to an instance (PS3.3 10.8)."""
    return {"ReferencedSOPClassUID": data_set.SOPClassUID, "ReferencedSOPInstanceUID": data_set.SOPInstanceUID}


def referenced_series(sources: Sequence[Dataset], study: str) -> Plain:
    """Return the attributes of Common Instance Reference (PS3.3 C.12.2), for instances in `study` and in others."""
    by_study: dict[str, dict[str, list[Dataset]]] = {}
    for source in sources:
        by_study.setdefault(source.StudyInstanceUID, {}).setdefault(source.SeriesInstanceUID, []).append(source)
    attributes: Plain = {}
    here = by_study.pop(study, None)
    if here:
        attributes["ReferencedSeriesSequence"] = list(_series(here.items()))
    if by_study:
        attributes["StudiesContainingOtherReferencedInstancesSequence"] = [
            {"StudyInstanceUID": uid, "ReferencedSeriesSequence": list(_series(series.items()))}
            for uid, series in by_study.items()
        ]
    return attributes


def _series(series: Iterable[tuple[str, list[Dataset]]]) -> Iterable[Plain]:
    for uid, instances in series:
        yield {
            "SeriesInstanceUID": uid,
            "ReferencedInstanceSequence": [reference_to(instance) for instance in instances],
        }
