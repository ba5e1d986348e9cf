"""`dicomcore ups`: workitems of a worklist manager."""

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

ACTIONS = (
    "find",
    "create",
    "show",
    "claim",
    "update",
    "complete",
    "cancel",
    "request-cancel",
    "subscribe",
    "unsubscribe",
)
ALL = "1.2.840.10008.5.1.4.34.5"
DESCRIPTION = """Workitems, that is unified procedure steps (UPS, PS3.4 Annex CC). `create` prints the UID of a step;
`claim` prints a transaction UID, which `update`, `complete` and `cancel` need as --transaction. `subscribe` and
`unsubscribe` concern a step, or all of them without a UID."""
EXAMPLES = (
    "dicomcore ups RIS@localhost:11112 find -k ProcedureStepState=SCHEDULED -k PatientName",
    "dicomcore ups RIS@localhost:11112 create -k ProcedureStepLabel=Read -k PatientID=1",
    "dicomcore ups RIS@localhost:11112 claim 1.2.3.4",
)


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "ups", help="workitems of a worklist manager", description=DESCRIPTION, examples=EXAMPLES,
        codes=CODES,
    )  # fmt: skip
    add_peer(parser)
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("uid", nargs="?", type=word, metavar="UID", help="the step")
    add_attributes(parser, "an attribute to match, to create or to change")
    parser.add_argument("--transaction", metavar="UID", help="the transaction UID that claim gave")
    parser.add_argument("--receiver", metavar="AET", help="who is told, for subscribe (default: the calling AE title)")
    parser.add_argument("--lock", action="store_true", help="steps stay until the subscription ends")
    parser.add_argument("--json", action="store_true", help="print DICOM JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Work on steps; return the exit code."""
    needs_uid = arguments.action not in ("find", "create", "subscribe", "unsubscribe")
    if needs_uid and not arguments.uid:
        return report_problem("ups", "", f"{arguments.action} needs the UID of a step", 2)

    def work(address: str, options: dict[str, Any]) -> int:
        from dicomcore import net
        from dicomcore.services.ups import PULL, PUSH, WATCH

        keys = attributes_of(arguments)
        with net.associate(address, contexts=[PUSH, PULL, WATCH], **options) as association:
            if arguments.action == "find":
                return _find(association, keys, arguments.json)
            response = _done(association, arguments, keys, options.get("calling", "DICOMCORE"))
        if not response.status.is_success:
            return report_problem("ups", arguments.uid or "", response.comment or response.status.text, FAILED)
        _print(arguments, response)
        return DONE

    return run_with("ups", arguments, work)


def _find(association: Association, keys: dict[str, Any], as_json: bool) -> int:
    asked = {"SOPInstanceUID": "", "ProcedureStepState": "", "ProcedureStepLabel": ""} | keys
    for number, ds in enumerate(association.find(asked, model="ups")):
        print_dataset(ds, as_json, number)
    return DONE


def _done(association: Association, arguments: argparse.Namespace, keys: dict[str, Any], calling: str) -> Response:
    from dicomcore.services.ups import PULL, PUSH, WATCH
    from dicomcore.uids import generate_uid

    uid, action = arguments.uid, arguments.action
    if action == "create":
        return association.n_create(PUSH, _step(keys), instance=uid or generate_uid())
    if action == "show":
        return association.n_get(PUSH, uid, over=PULL)
    if action == "update":
        changes = dataset_of(keys)
        if arguments.transaction:
            changes.TransactionUID = arguments.transaction
        return association.n_set(PUSH, uid, changes, over=PULL)
    if action == "request-cancel":
        return association.n_action(PUSH, uid, 2, dataset_of(keys) or None)
    if action in ("subscribe", "unsubscribe"):
        told = dataset_of({"ReceivingAE": arguments.receiver or calling})
        if action == "subscribe":
            told.DeletionLock = "TRUE" if arguments.lock else "FALSE"
        return association.n_action(PUSH, uid or ALL, 3 if action == "subscribe" else 4, told, over=WATCH)
    if action == "claim":
        arguments.transaction = arguments.transaction or str(generate_uid())
    states = {"claim": "IN PROGRESS", "complete": "COMPLETED", "cancel": "CANCELED"}
    told = dataset_of({"ProcedureStepState": states[action], "TransactionUID": arguments.transaction or ""})
    return association.n_action(PUSH, uid, 1, told, over=PULL)


def _step(keys: dict[str, Any]) -> Dataset:
    """A step that can be made; what is not given has a usual value, or none if it may."""
    from dicomcore.services.ups_rules import ATTRIBUTES

    empty = [rule.path[0] for rule in ATTRIBUTES if len(rule.path) == 1 and rule.create.startswith("2/")]
    usual: dict[str, Any] = {
        "ScheduledProcedureStepPriority": "MEDIUM",
        "ProcedureStepLabel": "Step",
        "ScheduledProcedureStepStartDateTime": datetime.now().strftime("%Y%m%d%H%M%S"),
        "InputReadinessState": "READY",
    }
    return dataset_of(dict.fromkeys(empty, "") | usual | keys | {"ProcedureStepState": "SCHEDULED"})


def _print(arguments: argparse.Namespace, response: Response) -> None:
    if arguments.action == "show" and response.dataset is not None:
        print_dataset(response.dataset, arguments.json, 0)
    elif arguments.json:
        said = {
            "sop_instance": response.command.AffectedSOPInstanceUID or arguments.uid,
            "status": int(response.status),
        }
        print(json.dumps({**said, "transaction": arguments.transaction} if arguments.transaction else said))
    elif arguments.action == "create":
        print(response.command.AffectedSOPInstanceUID)
    elif arguments.action == "claim":
        print(arguments.transaction)
