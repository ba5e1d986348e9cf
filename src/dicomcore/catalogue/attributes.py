"""The attributes that a catalogue keeps, by level (PS3.4 C.6, PS3.18 10.6.1): columns of its tables."""

from __future__ import annotations

__all__ = ["COLUMNS", "COUNTED", "KEYS", "LEVELS", "level_of"]

LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")
KEYS = {"PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}
"""The unique key of each level."""
COLUMNS = {
    "PATIENT": ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientBirthTime", "PatientSex",
                "EthnicGroup", "PatientComments", "OtherPatientIDs"),
    "STUDY": ("StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "StudyID", "StudyDescription",
              "ReferringPhysicianName", "NameOfPhysiciansReadingStudy", "PatientAge", "PatientSize", "PatientWeight",
              "InstitutionName"),
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
_LEVEL = {name: level for level in LEVELS for name in (*COLUMNS[level], *COUNTED[level])}


def level_of(keyword: str) -> str | None:
    """The level of an attribute, None if the catalogue does not keep it."""
    return _LEVEL.get(keyword)
