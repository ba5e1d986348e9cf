"""`dicomcore check`: what is wrong with files, by the definitions of the standard."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dicomcore.archive.failure import NOT_DICOM, kind_of
from dicomcore.archive.sources.place import Fault
from dicomcore.archive.sources.walk import walk_folder
from dicomcore.cli.console import add_command, counted, printable, reason_of, report_problem, word
from dicomcore.errors import DicomError
from dicomcore.threads import cpus, in_order

if TYPE_CHECKING:
    from dicomcore.iod import Report

__all__ = ["add_parser"]

CLEAN, FINDINGS, WRONG_USE = 0, 1, 2
DESCRIPTION = """Check DICOM files against the definition of their SOP class (PS3.3): what is missing, what is there and
should not be, and what contradicts itself. Files of a folder that are not DICOM are passed over."""
EXAMPLES = (
    "dicomcore check ct.dcm",
    "dicomcore check archive/ --at-least error --out findings.parquet",
    "dicomcore check archive/ --rule coherence --rule -MODALITY",
    "dicomcore check --explain PIXELS_SHORT",
)
CODES = "0 nothing was found, 1 something was found or a file could not be read, 2 wrong use."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "check",
        help="what is wrong with files",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument("sources", type=word, nargs="*", metavar="FILE_OR_DIR", help="files, and folders of them")
    parser.add_argument("--iod", metavar="SOP_CLASS", help="UID or name of a SOP class, in place of the files' own")
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="RULE",
        help="only these: structure, values, coherence, or the code of a finding; with - in front all but these",
    )
    parser.add_argument(
        "--at-least",
        choices=("note", "warning", "error"),
        default="warning",
        help="the least severity that counts (default: warning)",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="threads (default: one for each CPU)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON object for each file, one a line")
    form.add_argument("--out", metavar="PARQUET", help="write a row for each finding, and print a summary")
    form.add_argument("--explain", metavar="CODE", help="say what a code means")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the files; return the exit code."""
    if arguments.explain:
        return _explain(arguments.explain)
    if not arguments.sources:
        return report_problem("check", "", "FILE_OR_DIR is needed", WRONG_USE)
    if arguments.workers is not None and arguments.workers < 1:
        return report_problem("check", "", "--workers must be 1 or more", WRONG_USE)
    from dicomcore.iod import check, describe
    from dicomcore.iod.codes import GROUPS

    try:
        options = {"iod": arguments.iod, "rules": tuple(arguments.rule) or GROUPS, "at_least": arguments.at_least}
        check(b"", rules=options["rules"]) if False else None
        if arguments.iod:
            describe(arguments.iod)
    except (KeyError, ValueError) as error:
        return report_problem("check", "", str(error.args[0]), WRONG_USE)
    return _check_all(arguments, options)
