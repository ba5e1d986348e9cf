"""The attributes that a catalogue keeps, by level (PS3.4 C.6, PS3.18 10.6.1): columns of its tables."""

from __future__ import annotations

from dicomcore import uids
from dicomcore.dictionary import dictionary_VR

__all__ = [
    "COLUMNS", "COUNTED", "FOLDED", "KEYS", "LEVELS", "OBJECTS", "OWN", "SEQUENCE", "SORTED", "TABLES", "ZONES",
    "above", "level_of",
]  # fmt: skip

LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")
KEYS = {"PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}
"""The unique key of each level."""
COLUMNS = {
    "PATIENT": ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientBirthTime", "PatientSex",
                "EthnicGroup", "PatientComments", "OtherPatientIDs"),
    "STUDY": ("StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "StudyID", "StudyDescription",
              "ReferringPhysicianName", "NameOfPhysiciansReadingStudy", "PatientAge", "PatientSize", "PatientWeight",
              "InstitutionName", "TimezoneOffsetFromUTC"),
    "SERIES": ("SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription", "SeriesDate", "SeriesTime",
               "BodyPartExamined", "Laterality", "ProtocolName", "StationName", "Manufacturer", "ManufacturerModelName",
               "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime", "OperatorsName",
               "PerformingPhysicianName", "FrameOfReferenceUID"),
    "IMAGE": ("SOPInstanceUID", "SOPClassUID", "InstanceNumber", "ContentDate", "ContentTime", "AcquisitionDate",
              "AcquisitionTime", "AcquisitionNumber", "NumberOfFrames", "Rows", "Columns", "BitsAllocated",
              "ImageType", "InstanceCreationDate", "InstanceCreationTime"),
}  # fmt: skip
COUNTED = {
    "PATIENT": ("NumberOfPatientRelatedStudies", "NumberOfPatientRelatedSeries", "NumberOfPatientRelatedInstances"),
    "STUDY": ("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "ModalitiesInStudy", "SOPClassesInStudy"),
    "SERIES": ("NumberOfSeriesRelatedInstances", "RequestAttributesSequence"),
    "IMAGE": (),
}
"""What is counted or gathered from below, beside the columns."""
TABLES = dict(zip(LEVELS, ("patients", "studies", "series", "instances"), strict=True))
OWN = ("path", "transfer_syntax", "size", "source", "arrived")
"""What is kept of an instance beside its attributes."""
ZONES = {"STUDY": "study_zone", "SERIES": "series_zone", "IMAGE": "instance_zone"}
"""Timezone Offset From UTC of the instance that the dates and times of a level are from."""
OBJECTS = {
    "hanging-protocol": (uids.HangingProtocolStorage,),
    "color-palette": (uids.ColorPaletteStorage,),
    "generic-implant": (uids.GenericImplantTemplateStorage,),
    "implant-assembly": (uids.ImplantAssemblyTemplateStorage,),
    "implant-group": (uids.ImplantTemplateGroupStorage,),
    "defined-procedure-protocol": (uids.CTDefinedProcedureProtocolStorage, uids.XADefinedProcedureProtocolStorage),
    "protocol-approval": (uids.ProtocolApprovalStorage,),
    "inventory": (uids.InventoryStorage,),
}
"""SOP classes of instances that belong to no patient (PS3.4 GG), by the query/retrieve model that finds them."""
SEQUENCE = "RequestAttributesSequence"  # kept as JSON
FOLDED = {level: tuple(name for name in names if dictionary_VR(name) == "PN") for level, names in COLUMNS.items()}
"""Names, of which a form without case and accents is kept for matching."""
SORTED = {
    level: tuple(name for name in names if dictionary_VR(name) in ("DA", "DT", "TM"))
    for level, names in COLUMNS.items()
}
"""Dates and times, of which a form that sorts is kept for matching, however a file spells them."""
_LEVEL = {name: level for level in LEVELS for name in (*COLUMNS[level], *COUNTED[level])}
_LEVEL |= {name: level for level, name in ZONES.items()}


def level_of(keyword: str) -> str | None:
    """The level of an attribute, None if the catalogue does not keep it."""
    return _LEVEL.get(keyword)


def above(level: str) -> tuple[str, ...]:
    """The levels down to `level`."""
    return LEVELS[: LEVELS.index(level) + 1]
