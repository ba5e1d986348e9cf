"""`dicomcore jobs`: what a node will do later, and what became of it."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import time
from typing import Any

from dicomcore.cli.console import add_command, report_problem

__all__ = ["add_parser"]

DONE, FAILED, WRONG_USE = 0, 1, 2
DESCRIPTION = """List the jobs of a store that `dicomcore serve` works on: instances that go to another node, which are
tried again while it does not take them. A running node takes up what is changed here within seconds."""
EXAMPLES = (
    "dicomcore jobs archive/",
    "dicomcore jobs archive/ --state failed --json",
    "dicomcore jobs archive/ --cancel 12",
    "dicomcore jobs archive/ --retry 12",
)
CODES = "0 done, 1 there is no such job, or it is over, 2 wrong use."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "jobs",
        help="what a node will do later, and what became of it",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument("store", metavar="DIR", help="the folder of instances and their catalogue")
    parser.add_argument("--state", choices=("waiting", "running", "done", "failed", "cancelled"), help="only these")
    parser.add_argument("--cancel", type=int, metavar="N", help="cancel a job")
    parser.add_argument("--retry", type=int, metavar="N", help="try a job now that waits or has failed")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each job")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List or change jobs; return the exit code."""
    from dicomcore.catalogue.jobs import State

    path = os.path.join(arguments.store, "state.sqlite")
    if not os.path.isdir(arguments.store):
        return report_problem("jobs", arguments.store, "no such folder", WRONG_USE)
    if not os.path.exists(path):
        return DONE if arguments.cancel is None and arguments.retry is None else _none(arguments)
    try:
        state = State(path)
    except sqlite3.Error as error:
        return report_problem("jobs", path, str(error), FAILED)
    try:
        jobs = state.jobs
        if arguments.cancel is not None:
            return DONE if jobs.cancel(arguments.cancel) else _none(arguments)
        if arguments.retry is not None:
            return DONE if jobs.retry(arguments.retry) else _none(arguments)
        for job in jobs.all(state=arguments.state):
            print(json.dumps(job._asdict()) if arguments.json else _line(job))
    finally:
        state.close()
    return DONE


def _none(arguments: argparse.Namespace) -> int:
    number = arguments.cancel if arguments.cancel is not None else arguments.retry
    return report_problem("jobs", arguments.store, f"there is no job {number} that can be changed", FAILED)


def _line(job: Any) -> str:
    made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(job.made))
    about = f"{len(job.payload.get('instances', ()))} instances to {job.payload.get('to', '?')}"
    tried = f", tried {job.attempts} times" if job.attempts > 1 else ""
    return f"{job.id:6}  {made}  {job.state:9}  {job.kind}: {about}{tried}{job.error and ': '}{job.error}"
