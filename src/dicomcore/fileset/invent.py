"""Values for keys that a record must have and the instance lacks; PS3.3 F.5 leaves them to the file-set's creator."""

from __future__ import annotations

from dicomcore.dataset import Dataset

__all__ = ["invented"]

# Other attributes of the instance that can give the value, before one is made up.
ELSEWHERE = {
    "StudyDate": ("SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"),
    "StudyTime": ("SeriesTime", "AcquisitionTime", "ContentTime", "InstanceCreationTime"),
    "ContentDate": ("AcquisitionDate", "SeriesDate", "StudyDate", "InstanceCreationDate"),
    "ContentTime": ("AcquisitionTime", "SeriesTime", "StudyTime", "InstanceCreationTime"),
    "PresentationCreationDate": ("ContentDate", "SeriesDate", "StudyDate"),
    "PresentationCreationTime": ("ContentTime", "SeriesTime", "StudyTime"),
    "InstanceCreationDate": ("ContentDate", "SeriesDate", "StudyDate"),
}
NO_DATE, NO_TIME = "19000101", "000000"
FIXED = {
    "Modality": "OT",
    "CompletionFlag": "PARTIAL",
    "VerificationFlag": "UNVERIFIED",
    "ContentLabel": "UNKNOWN",
    "StructureSetLabel": "UNKNOWN",
    "RTPlanLabel": "UNKNOWN",
    "DoseSummationType": "PLAN",
    "Manufacturer": "UNKNOWN",
}
NUMBERS = frozenset(("SeriesNumber", "InstanceNumber"))
NAMES = {"PatientID": "UNKNOWN", "StudyID": ""}


def invented(keyword: str, data_set: Dataset, number: int) -> str | int | None:
    """A value for `keyword`: one that the instance has elsewhere, or a placeholder that is easily recognised.

    None if no value can be made up, as for UIDs and codes. `number` makes the value differ from those of the other
    records of the entity.
    """
    for other in ELSEWHERE.get(keyword, ()):
        value = data_set.get(other)
        if isinstance(value, str) and value:
            return value
    if keyword in NUMBERS:
        return number
    if keyword in NAMES:
        return f"{NAMES[keyword]}{number}"
    if keyword.endswith("Date"):
        return NO_DATE
    if keyword.endswith("Time") and not keyword.endswith("DateTime"):
        return NO_TIME
    return FIXED.get(keyword)
