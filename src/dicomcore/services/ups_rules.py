"""The rules of unified procedure steps as data: states, statuses, attributes (PS3.4 CC.1.1, CC.2.5)."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of

__all__ = ["ATTRIBUTES", "STATES", "TRANSITIONS", "Act", "Rule", "lacking", "outcome"]

SCHEDULED, IN_PROGRESS, COMPLETED, CANCELED = "SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED"
STATES = (SCHEDULED, IN_PROGRESS, COMPLETED, CANCELED)
FINAL = (COMPLETED, CANCELED)

NO_LONGER, WRONG_TRANSACTION, IN_PROGRESS_ALREADY, ONLY_CREATED = 0xC300, 0xC301, 0xC302, 0xC303
NOT_READY, NO_WORKITEM, UNKNOWN_RECEIVER, NOT_SCHEDULED, NOT_IN_PROGRESS = 0xC304, 0xC307, 0xC308, 0xC309, 0xC310
COMPLETED_ALREADY, NOT_REACHED, NOT_CANCELLED, NOT_APPROPRIATE = 0xC311, 0xC312, 0xC313, 0xC314
NO_REPORTS = 0xC315
WITH_CHANGES, NO_LOCK, ALREADY_CANCELED, COERCED, ALREADY_COMPLETED = 0xB300, 0xB301, 0xB304, 0xB305, 0xB306
DUPLICATE = 0x0111


class Act(Enum):
    """What is done where the table has no status."""

    CREATE = "make it, SCHEDULED, without a transaction UID"
    CLAIM = "keep the transaction UID, IN PROGRESS"
    COMPLETE = "COMPLETED if the requirements of the final state are met, else C304"
    CANCEL = "CANCELED if the requirements of the final state are met, else C304"
    STOP = "IN PROGRESS, then CANCELED"
    ASK = "report that its cancellation was asked for"


# What happens, by event, and there by the state that the step is in: none (it does not exist), and the four (CC.1.1-2).
# An event is a state that is asked for and whether the transaction UID is right, or a service.
TRANSITIONS: dict[object, tuple[int | Act, ...]] = {
    "N-CREATE": (Act.CREATE, DUPLICATE, DUPLICATE, DUPLICATE, DUPLICATE),
    (IN_PROGRESS, True): (NO_WORKITEM, Act.CLAIM, IN_PROGRESS_ALREADY, NO_LONGER, NO_LONGER),
    (IN_PROGRESS, False): (NO_WORKITEM, *[WRONG_TRANSACTION] * 4),
    (SCHEDULED, True): (NO_WORKITEM, *[ONLY_CREATED] * 4),
    (SCHEDULED, False): (NO_WORKITEM, *[ONLY_CREATED] * 4),
    (COMPLETED, True): (NO_WORKITEM, NOT_IN_PROGRESS, Act.COMPLETE, ALREADY_COMPLETED, NO_LONGER),
    (COMPLETED, False): (NO_WORKITEM, *[WRONG_TRANSACTION] * 4),
    "cancel": (NO_WORKITEM, Act.STOP, Act.ASK, COMPLETED_ALREADY, ALREADY_CANCELED),
    (CANCELED, True): (NO_WORKITEM, NOT_IN_PROGRESS, Act.CANCEL, NO_LONGER, ALREADY_CANCELED),
    (CANCELED, False): (NO_WORKITEM, *[WRONG_TRANSACTION] * 4),
}


def outcome(event: object, state: str) -> int | Act:
    """What happens at an event in a state, "" for a step that does not exist."""
    return TRANSITIONS[event][STATES.index(state) + 1 if state else 0]


class Rule(NamedTuple):
    """What an attribute needs: SCU/SCP types of N-CREATE and N-SET, and its final state code (CC.2.5-1).

    ``"no"`` is not allowed, ``"own"`` a rule in words.
    """

    path: tuple[str, ...]
    create: str
    set: str
    final: str


# Table CC.2.5-3: an attribute a line, ">" below the one before it; types of N-CREATE and N-SET, final state code.
_TABLE = """
TransactionUID 2/2 own O
SpecificCharacterSet 1C/1C 1C/1C RC
SOPClassUID own no R
SOPInstanceUID no no R
ScheduledProcedureStepPriority 1/1 3/1 R
ScheduledProcedureStepModificationDateTime -/1 -/1 R
ProcedureStepLabel 1/1 3/1 O
WorklistLabel 2/1 3/1 O
ScheduledProcessingParametersSequence 2/2 3/2 O
ScheduledStationNameCodeSequence 2/2 3/2 O
ScheduledStationClassCodeSequence 2/2 3/2 O
ScheduledStationGeographicLocationCodeSequence 2/2 3/2 O
ScheduledHumanPerformersSequence 2C/2C 3/2 O
> HumanPerformerCodeSequence 1/1 1/1 O
> HumanPerformerName 1/1 1/1 O
> HumanPerformerOrganization 1/1 1/1 O
ScheduledProcedureStepStartDateTime 1/1 3/1 R
ExpectedCompletionDateTime 3/1 3/1 O
ScheduledProcedureStepExpirationDateTime 3/3 3/3 O
ScheduledWorkitemCodeSequence 2/2 3/1 O
CommentsOnTheScheduledProcedureStep 2/2 3/1 O
InputReadinessState 1/1 3/1 R
InputInformationSequence 2/2 3/2 O
StudyInstanceUID 1C/2 3/2 O
OutputDestinationSequence 3/3 3/3 O
PatientName 2/2 no O
PatientID 1C/2 no O
OtherPatientIDsSequence 2/2 3/3 O
> PatientID 1/1 1/1 O
> TypeOfPatientID 3/3 3/3 O
PatientBirthDate 2/2 no O
PatientSex 2/2 no O
ReferencedPatientPhotoSequence 3/3 3/3 O
AdmissionID 2/2 no O
IssuerOfAdmissionIDSequence 2/2 no O
AdmittingDiagnosesDescription 2/2 no O
AdmittingDiagnosesCodeSequence 2/2 no O
ReferencedRequestSequence 2/2 no O
> StudyInstanceUID 1/1 no O
> AccessionNumber 2/2 no O
> IssuerOfAccessionNumberSequence 2/2 no O
> PlacerOrderNumberImagingServiceRequest 3/1 no O
> OrderPlacerIdentifierSequence 2/2 no O
> FillerOrderNumberImagingServiceRequest 3/1 no O
> OrderFillerIdentifierSequence 2/2 no O
> RequestedProcedureID 2/2 no O
> RequestedProcedureDescription 2/2 no O
> RequestedProcedureCodeSequence 2/2 no O
> ReasonForTheRequestedProcedure 3/3 3/3 O
> ReasonForRequestedProcedureCodeSequence 3/3 3/3 O
> RequestedProcedureComments 3/3 3/3 O
> ConfidentialityCode 3/3 3/3 O
> NamesOfIntendedRecipientsOfResults 3/3 3/3 O
> ImagingServiceRequestComments 3/3 3/3 O
> RequestingPhysician 3/3 3/3 O
> RequestingService 3/1 3/1 O
> RequestingServiceCodeSequence 3/3 3/3 O
> IssueDateOfImagingServiceRequest 3/3 3/3 O
> IssueTimeOfImagingServiceRequest 3/3 3/3 O
> ReferringPhysicianName 3/3 3/3 O
ReplacedProcedureStepSequence 1C/1C no O
MedicalAlerts 3/2 3/2 O
PregnancyStatus 3/2 3/2 O
SpecialNeeds 3/2 3/2 O
ProcedureStepState 1/1 no R
ProcedureStepProgressInformationSequence 2/2 3/2 X
> ProcedureStepProgress no 3/1 O
> ProcedureStepProgressDescription no 3/1 O
> ProcedureStepProgressParametersSequence no 3/3 O
>> ContentItemModifierSequence no 3/3 O
> ProcedureStepCommunicationsURISequence no 3/1 O
>> ContactURI no 1/1 O
>> ContactDisplayName no 3/1 O
> ProcedureStepCancellationDateTime no 3/1 X
> ReasonForCancellation no 3/1 O
> ProcedureStepDiscontinuationReasonCodeSequence no 3/1 X
UnifiedProcedureStepPerformedProcedureSequence 2/2 3/2 P
> ActualHumanPerformersSequence no 3/1 RC
>> HumanPerformerCodeSequence no 3/1 RC
>> HumanPerformerName no 3/1 RC
>> HumanPerformerOrganization no 3/1 O
> PerformedStationNameCodeSequence no 3/2 P
> PerformedStationClassCodeSequence no 3/2 O
> PerformedStationGeographicLocationCodeSequence no 3/2 O
> PerformedProcedureStepStartDateTime no 3/1 P
> PerformedProcedureStepDescription no 3/1 O
> CommentsOnThePerformedProcedureStep no 3/1 O
> PerformedWorkitemCodeSequence no 3/1 P
> PerformedProcessingParametersSequence no 3/1 O
> PerformedProcedureStepEndDateTime no 3/1 P
> OutputInformationSequence no 2/2 P
"""


def _rules() -> tuple[Rule, ...]:
    made: list[Rule] = []
    above: list[str] = []
    for line in _TABLE.strip().splitlines():
        *marks, keyword, create, change, final = line.split()
        depth = len(marks[0]) if marks else 0
        above[depth:] = [keyword]
        made.append(Rule(tuple(above), create, change, final))
    return tuple(made)


ATTRIBUTES = _rules()
NEEDED = {COMPLETED: ("R", "P"), CANCELED: ("R", "X")}
MAY_BE_EMPTY = frozenset({"OutputInformationSequence"})  # "this sequence may have no items"


def lacking(ds: Dataset, state: str) -> list[str]:
    """The attributes that a step still needs for a final state, as paths of keywords joined by dots.

    RC is not among them: whether its condition is met ("if known") cannot be told.
    """
    missing: list[str] = []
    for rule in ATTRIBUTES:
        if rule.final not in NEEDED[state] or ".".join(rule.path[:-1]) in missing:
            continue
        places = [ds]
        for keyword in rule.path[:-1]:
            places = [item for place in places for item in items_of(place, keyword)]
        if not all(_has(place, rule.path[-1]) for place in places) or not places:
            missing.append(".".join(rule.path))
    return missing


def _has(ds: Dataset, keyword: str) -> bool:
    if keyword not in ds:
        return False
    if keyword in MAY_BE_EMPTY:
        return True
    return ds.get(keyword) not in (None, "", [])
