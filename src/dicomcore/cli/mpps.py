"""`dicomcore mpps`: procedure steps as a modality performs them."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dicomcore.cli.console import add_command, report_problem, word
from dicomcore.cli.network import (
    CODES,
    DONE,
    FAILED,
    add_attributes,
    add_peer,
    attributes_of,
    dataset_of,
    print_dataset,
    run_with,
)

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset
    from dicomcore.net import Association, Response

__all__ = ["add_parser"]

STEP, RETRIEVE = "1.2.840.10008.3.1.2.3.3", "1.2.840.10008.3.1.2.3.4"
ACTIONS = ("begin", "complete", "discontinue", "show")
DESCRIPTION = """Begin, end or show a modality performed procedure step (MPPS, PS3.4 Annex F): `begin` prints the UID of
the step, which the others take. For what is not given by -k, `begin` and `complete` have values that a manager accepts:
now, the calling AE title, and new UIDs."""
EXAMPLES = (
    "dicomcore mpps RIS@localhost:11112 begin -k PatientID=1 -k Modality=CT",
    "dicomcore mpps RIS@localhost:11112 complete 1.2.3.4",
)


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "mpps", help="perform a procedure step", description=DESCRIPTION, examples=EXAMPLES, codes=CODES
    )
    add_peer(parser)
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("uid", nargs="?", type=word, metavar="UID", help="the step, but for begin")
    add_attributes(
        parser,
        "an attribute of the step; StudyInstanceUID, ScheduledProcedureStepID and others of the order go into the "
        "Scheduled Step Attributes Sequence",
    )
    parser.add_argument("--json", action="store_true", help="print DICOM JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Perform; return the exit code."""
    if (arguments.uid is None) != (arguments.action == "begin"):
        said = "takes no UID" if arguments.uid else "needs the UID of a step"
        return report_problem("mpps", "", f"{arguments.action} {said}", 2)

    def work(address: str, options: dict[str, Any]) -> int:
        from dicomcore import net

        keys = attributes_of(arguments)
        with net.associate(address, contexts=[STEP, RETRIEVE], **options) as association:
            response = _done(association, arguments, keys, options.get("calling", "DICOMCORE"))
        if not response.status.is_success:
            return report_problem("mpps", arguments.uid or "", response.comment or response.status.text, FAILED)
        _print(arguments, response)
        return DONE

    return run_with("mpps", arguments, work)


def _done(association: Association, arguments: argparse.Namespace, keys: dict[str, Any], calling: str) -> Response:
    from dicomcore.uids import generate_uid

    if arguments.action == "begin":
        return association.n_create(STEP, _begun(keys, calling), instance=generate_uid())
    if arguments.action == "show":
        return association.n_get(RETRIEVE, arguments.uid)
    return association.n_set(STEP, arguments.uid, _ended(keys, arguments.action))


OF_THE_ORDER = ("StudyInstanceUID", "AccessionNumber", "RequestedProcedureID", "RequestedProcedureDescription",
                "ScheduledProcedureStepID", "ScheduledProcedureStepDescription")  # fmt: skip


def _begun(keys: dict[str, Any], calling: str) -> Dataset:
    from dicomcore.services.procedure_step import MAY_BE_EMPTY
    from dicomcore.uids import generate_uid

    now = datetime.now()
    order = {**dict.fromkeys(OF_THE_ORDER, ""), "StudyInstanceUID": str(generate_uid())}
    order.update({keyword: keys.pop(keyword) for keyword in OF_THE_ORDER if keyword in keys})
    scheduled = dataset_of(order)
    scheduled.ReferencedStudySequence, scheduled.ScheduledProtocolCodeSequence = [], []
    values: dict[str, Any] = {keyword: [] if keyword.endswith("Sequence") else "" for keyword in MAY_BE_EMPTY}
    values |= {
        "PerformedProcedureStepID": f"P{now:%H%M%S}",
        "PerformedStationAETitle": calling,
        "PerformedProcedureStepStartDate": f"{now:%Y%m%d}",
        "PerformedProcedureStepStartTime": f"{now:%H%M%S}",
        "Modality": "OT",
    }
    made = dataset_of({**values, "ScheduledStepAttributesSequence": [scheduled], **keys})
    made.PerformedProcedureStepStatus = "IN PROGRESS"
    return made


def _ended(keys: dict[str, Any], action: str) -> Dataset:
    from dicomcore.uids import generate_uid

    now = datetime.now()
    series = {"ProtocolName": "UNKNOWN", "SeriesInstanceUID": str(generate_uid())}
    series.update({keyword: keys.pop(keyword) for keyword in series if keyword in keys})
    values: dict[str, Any] = {
        "PerformedProcedureStepEndDate": f"{now:%Y%m%d}", "PerformedProcedureStepEndTime": f"{now:%H%M%S}",
    }  # fmt: skip
    item = dataset_of(
        dict.fromkeys(("PerformingPhysicianName", "OperatorsName", "SeriesDescription", "RetrieveAETitle"), "")
    )
    for keyword, value in series.items():
        setattr(item, keyword, value)
    item.ReferencedImageSequence, item.ReferencedNonImageCompositeSOPInstanceSequence = [], []
    made = dataset_of({**values, "PerformedSeriesSequence": [item], **keys})
    made.PerformedProcedureStepStatus = "COMPLETED" if action == "complete" else "DISCONTINUED"
    return made


def _print(arguments: argparse.Namespace, response: Response) -> None:
    if response.dataset is not None and arguments.action == "show":
        print_dataset(response.dataset, arguments.json, 0)
    elif arguments.json:
        uid = response.command.AffectedSOPInstanceUID or arguments.uid
        print(json.dumps({"sop_instance": uid, "status": int(response.status)}))
    elif arguments.action == "begin":
        print(response.command.AffectedSOPInstanceUID)
