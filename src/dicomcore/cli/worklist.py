"""`dicomcore worklist`: scheduled procedure steps of a peer."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from dicomcore.cli.console import add_command
from dicomcore.cli.network import CODES, DONE, add_peer, moment_fault, print_dataset, run_with

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["add_parser"]

DESCRIPTION = "Ask a peer for its modality worklist (PS3.4 Annex K)."
EXAMPLES = (
    "dicomcore worklist RIS@localhost:11112 --modality CT --date 20250101",
    "dicomcore worklist RIS@localhost:11112 --station CT1 --json",
)
ASKED = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyInstanceUID",
         "RequestedProcedureID", "RequestedProcedureDescription", "ReferringPhysicianName")  # fmt: skip
STEP = ("ScheduledProcedureStepID", "ScheduledProcedureStepDescription", "ScheduledProcedureStepStartTime",
        "ScheduledPerformingPhysicianName")  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "worklist",
        help="what a peer has scheduled",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    add_peer(parser)
    parser.add_argument("--modality", default="", metavar="CS", help="the modality, such as CT")
    parser.add_argument("--station", default="", metavar="AET", help="the AE title of the scheduled station")
    parser.add_argument("--date", default="", type=_date, metavar="DATE", help="YYYYMMDD, or a range YYYYMMDD-YYYYMMDD")
    parser.add_argument("--patient", default="", metavar="NAME", help="the patient's name, with * and ?")
    parser.add_argument("--json", action="store_true", help="print DICOM JSON, a line each")
    parser.set_defaults(run=run)


def _date(text: str) -> str:
    """A date, or a range of dates, for argparse."""
    fault = moment_fault("DA", text)
    if fault:
        raise argparse.ArgumentTypeError(f"{text!r}: {fault}")
    return text


def _identifier(arguments: argparse.Namespace) -> Dataset:
    from dicomcore.dataset import Dataset

    step, made = Dataset(), Dataset()
    for keyword in STEP:
        setattr(step, keyword, "")
    step.Modality = arguments.modality
    step.ScheduledStationAETitle = arguments.station
    step.ScheduledProcedureStepStartDate = arguments.date
    for keyword in ASKED:
        setattr(made, keyword, "")
    made.PatientName = arguments.patient
    made.ScheduledProcedureStepSequence = [step]
    return made


def run(arguments: argparse.Namespace) -> int:
    """Ask; return the exit code."""

    def work(address: str, options: dict[str, Any]) -> int:
        from dicomcore import net

        with net.associate(address, **options) as association:
            for number, ds in enumerate(association.find(_identifier(arguments), model="worklist")):
                print_dataset(ds, arguments.json, number)
        return DONE

    return run_with("worklist", arguments, work)
