"""What reports about unified procedure steps say, by event type (PS3.4 CC.2.4.1)."""

from __future__ import annotations

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, items_of, text_of

__all__ = ["ASSIGNED", "CANCEL_REQUESTED", "PROGRESS", "SERVER_STATUS", "STATE"]

STATE, CANCEL_REQUESTED, PROGRESS, SERVER_STATUS, ASSIGNED = 1, 2, 3, 4, 5
CODES = "ProcedureStepDiscontinuationReasonCodeSequence"
PROGRESS_INFORMATION = "ProcedureStepProgressInformationSequence"
STATIONS, PERFORMERS = "ScheduledStationNameCodeSequence", "ScheduledHumanPerformersSequence"


def _taken(source: Dataset | None, *keywords: str) -> Dataset:
    made = Dataset()
    for keyword in keywords:
        if source is not None and keyword in source:
            made.add(source[keyword])
    return made


def state(step: Dataset) -> Dataset:
    """UPS State Report: the states, and why it was cancelled."""
    made = _taken(step, "ProcedureStepState", "InputReadinessState")
    if text_of(step, "ProcedureStepState") == "CANCELED":
        made.update(_taken(first_item(step, PROGRESS_INFORMATION), "ReasonForCancellation", CODES))
    return made


def cancel_requested(asked: Dataset, requester: str) -> Dataset:
    """UPS Cancel Requested: who asked, and what was said."""
    made = _taken(asked, "ReasonForCancellation", CODES, "ContactURI", "ContactDisplayName")
    made.RequestingAE = requester
    return made


def progress(step: Dataset) -> Dataset:
    """UPS Progress Report: the progress information, without what is of a cancellation."""
    items = [
        _taken(
            item,
            "ProcedureStepProgress",
            "ProcedureStepProgressDescription",
            "ProcedureStepProgressParametersSequence",
            "ProcedureStepCommunicationsURISequence",
        )
        for item in items_of(step, PROGRESS_INFORMATION)
    ]
    made = Dataset()
    made.ProcedureStepProgressInformationSequence = [item for item in items if len(item)]
    return made


def assigned(step: Dataset) -> Dataset:
    """UPS Assigned: the stations and persons that it is scheduled for."""
    made = _taken(step, STATIONS) if items_of(step, STATIONS) else Dataset()
    performers = items_of(step, PERFORMERS)
    codes = [code for one in performers for code in items_of(one, "HumanPerformerCodeSequence")]
    organizations = [text for one in performers if (text := text_of(one, "HumanPerformerOrganization"))]
    if codes:
        made.HumanPerformerCodeSequence = codes
    if organizations:
        made.HumanPerformerOrganization = organizations[0]
    return made


def server_status(status: str, *, kept: bool) -> Dataset:
    """SCP Status Change; `kept` tells whether subscriptions and steps have survived."""
    made = Dataset()
    made.SCPStatus = status
    made.SubscriptionListStatus = "WARM START" if kept else "COLD START"
    made.UnifiedProcedureStepListStatus = "WARM START" if kept else "COLD START"
    return made
