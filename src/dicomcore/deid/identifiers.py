# ruff: noqa: SIM905 -- words are listed as text
"""What identifies the patient, the study and the staff of a data set."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from dicomcore._native.base.dictionary import uid_entry
from dicomcore._native.deid.picked import pick
from dicomcore.charset import DEFAULT_CHARSET, charset_for
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import meta_of
from dicomcore.deid.date_texts import date_of
from dicomcore.dictionary import tag_for_keyword
from dicomcore.iod.opening import index_for

if TYPE_CHECKING:
    from dicomcore.deid.matching import Matcher

__all__ = ["KINDS", "Identifiers", "gather"]

KINDS: Final = ("names", "staff", "ids", "dates", "institutions", "contacts", "devices", "uids")
"""The kinds of identifiers, in the order of their counts."""

_KEYWORDS = {
    "names": """
        PatientName OtherPatientNames PatientBirthName PatientMotherBirthName ResponsiblePerson
        """,
    "ids": """
        PatientID OtherPatientIDs AccessionNumber StudyID AdmissionID ServiceEpisodeID RequestedProcedureID
        ScheduledProcedureStepID PerformedProcedureStepID PlacerOrderNumberImagingServiceRequest
        FillerOrderNumberImagingServiceRequest PlacerOrderNumberProcedure FillerOrderNumberProcedure
        MedicalRecordLocator InsurancePlanIdentification ClinicalTrialSubjectID ClinicalTrialSubjectReadingID
        SpecimenIdentifier SpecimenAccessionNumber ContainerIdentifier SlideIdentifier ContainerComponentID
        BarcodeValue ResultsID InterpretationID
        """,
    "institutions": """
        InstitutionName InstitutionalDepartmentName PerformedLocation CurrentPatientLocation
        PatientInstitutionResidence ScheduledPatientInstitutionResidence RequestingService ClinicalTrialSiteName
        ClinicalTrialSiteID ClinicalTrialCoordinatingCenterName ClinicalTrialSponsorName ResponsibleOrganization
        HumanPerformerOrganization VerifyingOrganization OrderEntererLocation ScheduledStudyLocation
        ScheduledProcedureStepLocation RequestedProcedureLocation IssuerOfPatientID IssuerOfAdmissionID
        IssuerOfServiceEpisodeID StudyIDIssuer InterpretationIDIssuer DistributionName CameraOwnerName NetworkID
        """,
    "contacts": """
        InstitutionAddress PatientAddress PatientTelephoneNumbers PatientTelecomInformation ReferringPhysicianAddress
        ReferringPhysicianTelephoneNumbers PersonAddress PersonTelephoneNumbers PersonTelecomInformation
        OrderCallbackPhoneNumber OrderCallbackTelecomInformation DistributionAddress GPSLatitude GPSLongitude
        """,
    "devices": """
        DeviceSerialNumber StationName PerformedStationName ScheduledStationName DeviceID DetectorID GantryID PlateID
        CassetteID GeneratorID UniqueDeviceIdentifier SourceSerialNumber HardcopyCreationDeviceID
        SecondaryCaptureDeviceID TreatmentMachineName XRaySourceID XRayDetectorID LensSerialNumber
        ManufacturerDeviceIdentifier ModifyingDeviceID ModifyingSystem
        """,
    "staff": """
        InterpretationAuthor ROIInterpreter ReviewerName OperatorsName ContentCreatorName
        """,
}


def _by_tag() -> dict[int, str]:
    made = {0x00100012: "names"}  # Name to Use, which the dictionary does not have yet
    for kind, keywords in _KEYWORDS.items():
        for keyword in keywords.split():
            tag = tag_for_keyword(keyword)
            assert tag is not None, keyword
            made[int(tag)] = kind
    return made


_TAGS = _by_tag()
_VRS = {"PN": "staff", "DA": "dates", "DT": "dates", "AE": "devices", "UI": "uids"}
_SORTED = array("I", sorted(_TAGS))
# Sequences whose items are codes of a person, a station or an institution.
_CODES = {
    0x00080082: "institutions",
    0x00081041: "institutions",
    0x00401101: "staff",
    0x00404025: "devices",
    0x00404027: "institutions",
    0x00404028: "devices",
    0x00404030: "institutions",
}
_CODED = array("I", sorted(_CODES))
# IDs of procedures and their steps, which are often names of protocols: only those with several digits identify.
_PROCEDURES = frozenset({0x00401001, 0x00400009, 0x00400253})
_STANDARD = "1.2.840.10008."  # the root of what PS3.6 and PS3.16 register
_LINES = frozenset({"ST", "LT", "UT"})
_SOP_CLASSES = frozenset({0x00080016, 0x00081150, 0x00020002, 0x00020010, 0x00081115, 0x00020012, 0x0008010C})
_NOBODY = frozenset(
    "anonymous anonymized anonymised anon unknown none null nil na n/a no name removed deidentified redacted unnamed"
    " not available test".split()
)


class Identifiers:
    """What identifies one patient, with the studies, the staff and the places of care: frozen, and silent.

    Two of them are joined by ``|``: the files of a patient need one for all. Its text shows how many there are of each
    kind, never one of them.

    Parameters
    ----------
    names : iterable of str
        Names of the patient and of relatives, as PN: ``"Yamada^Tarou=山田^太郎"``.
    staff : iterable of str
        Names of physicians, operators and others, as PN or as plain text.
    ids : iterable of str
        Patient IDs, accession numbers, numbers of orders and visits.
    dates : iterable of datetime.date
        The birth date and all dates of the studies.
    institutions, contacts, devices : iterable of str
        Names of institutions and departments; addresses, telephone numbers; AE titles, stations, serial numbers.
    uids : iterable of str
        UIDs that PS3.6 does not register.
    """

    __slots__ = ("_hash", "_matcher", "_values")
    _hash: int | None
    _matcher: Matcher | None
    _values: tuple[frozenset[Any], ...]

    def __init__(
        self,
        *,
        names: Iterable[str] = (),
        staff: Iterable[str] = (),
        ids: Iterable[str] = (),
        dates: Iterable[date] = (),
        institutions: Iterable[str] = (),
        contacts: Iterable[str] = (),
        devices: Iterable[str] = (),
        uids: Iterable[str] = (),
    ) -> None:
        given = (names, staff, ids, dates, institutions, contacts, devices, uids)
        if any(isinstance(values, str) for values in given):
            raise TypeError("identifiers of a kind are several texts, not one")
        object.__setattr__(self, "_values", tuple(frozenset(values) for values in given))
        object.__setattr__(self, "_hash", None)
        object.__setattr__(self, "_matcher", None)

    @property
    def names(self) -> frozenset[str]:
        """Names of the patient and of relatives."""
        return self._values[0]

    @property
    def staff(self) -> frozenset[str]:
        """Names of physicians, operators and others."""
        return self._values[1]

    @property
    def ids(self) -> frozenset[str]:
        """Patient IDs, accession numbers, numbers of orders and visits."""
        return self._values[2]

    @property
    def dates(self) -> frozenset[date]:
        """The birth date and all dates of the studies."""
        return self._values[3]

    @property
    def institutions(self) -> frozenset[str]:
        """Names of institutions and departments."""
        return self._values[4]

    @property
    def contacts(self) -> frozenset[str]:
        """Addresses and telephone numbers."""
        return self._values[5]

    @property
    def devices(self) -> frozenset[str]:
        """AE titles, stations, serial numbers."""
        return self._values[6]

    @property
    def uids(self) -> frozenset[str]:
        """UIDs that PS3.6 does not register."""
        return self._values[7]

    @property
    def textual(self) -> tuple[frozenset[Any], ...]:
        """All kinds but UIDs, which differ from file to file: what decides how texts are cleaned."""
        return self._values[:7]

    def only(self, *kinds: str) -> Identifiers:
        """The same with these kinds alone."""
        wrong = [kind for kind in kinds if kind not in KINDS]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no kind of identifiers; kinds are {', '.join(KINDS)}")
        return Identifiers(**{kind: self._values[KINDS.index(kind)] for kind in kinds})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("identifiers do not change; join two by |")

    def __or__(self, other: object) -> Identifiers:
        if not isinstance(other, Identifiers):
            return NotImplemented
        pairs = zip(KINDS, self._values, other._values, strict=True)
        return Identifiers(**{kind: mine | others for kind, mine, others in pairs})

    def __eq__(self, other: object) -> bool:
        return self._values == other._values if isinstance(other, Identifiers) else NotImplemented

    def __hash__(self) -> int:
        if self._hash is None:
            object.__setattr__(self, "_hash", hash(self._values))
        return hash(self._values) if self._hash is None else self._hash

    def __len__(self) -> int:
        return sum(map(len, self._values))

    def __bool__(self) -> bool:
        return any(self._values)

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(values)} {kind}" for kind, values in zip(KINDS, self._values, strict=True) if values)
        return f"<Identifiers: {counts or 'none'}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, self._values


def _made(*values: frozenset[Any]) -> Identifiers:
    return Identifiers(**dict(zip(KINDS, values, strict=True)))


def gather(data_set: Dataset, *, uids: bool = True) -> Identifiers:
    """All that identifies the patient, the study and the staff in one data set, at every depth of its sequences.

    Values that say that there is nobody ("Anonymous", "unknown") are left out. Of frames only the first is looked at.
    Texts are cleaned without `uids`, so that all files of a series may share one object.
    """
    index = index_for(data_set)
    values, charsets, found = pick(index, _SORTED, _CODED)
    if not index.meta_count:
        values += tuple(_meta_values(data_set))
    known = _read(values, charsets)
    if not uids:
        return known
    return _made(
        *known.textual, frozenset(uid for tag, data in found if tag not in _SOP_CLASSES for uid in _uids(data))
    )


def _meta_values(data_set: Dataset) -> Iterator[tuple[int, str, bytes]]:
    """The AE titles in file meta information that is not of the index; its UIDs are in the data set, too."""
    meta = meta_of(data_set)
    for keyword in ("SourceApplicationEntityTitle", "SendingApplicationEntityTitle", "ReceivingApplicationEntityTitle"):
        title = None if meta is None else meta.get(keyword)
        if title:
            yield 0x00020016, "AE", str(title).encode("ascii", "replace")


@lru_cache(maxsize=64)  # the files of a series have the same
def _read(values: tuple[tuple[int, str, bytes], ...], charsets: tuple[bytes, ...]) -> Identifiers:
    """All kinds but UIDs from the bytes of values."""
    # Items may have character sets of their own: then all readings are kept, as a wrong one identifies nobody.
    readings = [charset_for(tuple(data.decode("ascii", "replace").split("\\"))) for data in dict.fromkeys(charsets)]
    found: dict[str, set[Any]] = {kind: set() for kind in KINDS}
    for tag, vr, data in values:
        kind = _CODES.get(tag) or _TAGS.get(tag) or _VRS[vr]
        for charset in readings or [DEFAULT_CHARSET]:
            for text in charset.decode_values(data, "PN" if vr == "PN" else "ST" if vr in _LINES else "LO")[0]:
                if tag not in _PROCEDURES or sum(map(str.isdecimal, text)) > 2:
                    _add(found[kind], kind, text.strip(" \0"))
    return Identifiers(**found)


def _add(found: set[Any], kind: str, text: str) -> None:
    if kind == "dates":
        day = date_of(text)
        if day is not None:
            found.add(day)
    elif text and not _is_nobody(text):
        found.add(text)


def _uids(data: bytes) -> Iterator[str]:
    for text in data.decode("ascii", "replace").split("\\"):
        uid = text.strip(" \0")
        if uid and not uid.startswith(_STANDARD) and uid_entry(uid) is None:
            yield uid


def _is_nobody(text: str) -> bool:
    return all(word in _NOBODY for word in text.lower().replace("^", " ").replace("=", " ").split())
