"""`dicomcore organize`: put the files of an index into folders named after their values."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from dicomcore.cli.console import add_command, add_expect_dicom, not_dicom, printable, report_problem, word

if TYPE_CHECKING:
    from dicomcore.archive.organizing.organize import Organized, Outcome

__all__ = ["add_parser"]

COMPLETE, SOME_NOT, WRONG_USE = 0, 1, 2
SHOWN = 12  # failures that the summary lists
DESCRIPTION = """Link, copy or move the files that an index lists into folders named after their values:
--pattern "{PatientID}/{StudyDate:%Y-%m}/{SeriesNumber:04}". Nothing is overwritten: if another file has the name, a
number is added; if the same bytes are there already, the file is left out. A move links or copies the file, compares a
copy, and only then removes the first name. The log in DIR lists each file's target; after an interruption, the same
command goes on."""
EXAMPLES = (
    'dicomcore organize index.parquet --into sorted/ --pattern "{PatientID}/{StudyDate:%Y-%m}" --dry-run',
    'dicomcore organize index.parquet --into sorted/ --pattern "{Modality}/{SeriesInstanceUID}" --copy',
)
CODES = """0 every DICOM file of the index is in its place, 1 some are not (reported on stderr; with --expect-dicom,
files that are not DICOM count), 2 wrong use, 130 interrupted: the same command goes on."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "organize",
        help="files into folders by their values",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument(
        "index", type=word, metavar="INDEX", help="a Parquet or Arrow file, or a folder of Parquet files"
    )
    parser.add_argument("--pattern", required=True, metavar="PATTERN", help="folders, with columns in braces")
    parser.add_argument("--into", required=True, metavar="DIR", help="folder in which they are created")
    parser.add_argument(
        "--name", default="{SOPInstanceUID}.dcm", metavar="PATTERN", help="the file's name (default: %(default)s)"
    )
    how = parser.add_mutually_exclusive_group()
    for one, what in (
        ("link", "symbolic links (the default)"),
        ("hardlink", "hard links, on one file system"),
        ("copy", "copies, compared with their originals"),
        ("move", "the files themselves"),
    ):
        how.add_argument(f"--{one}", dest="how", action="store_const", const=one, help=what)
    parser.add_argument("-n", "--dry-run", action="store_true", help="only print what would go where")
    parser.add_argument("--log", metavar="FILE", help="the log (default: organize.jsonl in DIR)")
    add_expect_dicom(parser)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="no summary")
    parser.set_defaults(run=run, how="link", interrupted="nothing is lost, the same command goes on from here")


def run(arguments: argparse.Namespace) -> int:
    """Organize the files; return the exit code."""
    from dicomcore.archive.organizing.organize import organize

    try:
        done = organize(
            arguments.index,
            arguments.into,
            pattern=arguments.pattern,
            name=arguments.name,
            how=arguments.how,
            dry_run=arguments.dry_run,
            log=arguments.log,
            progress=_planned if arguments.dry_run and not (arguments.json or arguments.quiet) else None,
        )
    except BrokenPipeError:
        raise
    except ValueError as error:
        return report_problem("organize", arguments.index, error, WRONG_USE)
    except OSError as error:
        return report_problem("organize", arguments.into, error, WRONG_USE)
    if arguments.json:
        failures = [one._asdict() for one in done.failures]
        print(json.dumps({"counts": dict(done.counts), "log": done.log, "failures": failures}))
    elif not arguments.quiet:
        _print_summary(done)
    if arguments.expect_dicom and (others := done.counts["not DICOM"]):
        return report_problem("organize", arguments.index, not_dicom(others), SOME_NOT)
    return COMPLETE if done.complete else SOME_NOT


def _planned(one: Outcome) -> None:
    if one.result == "planned":
        why = f"  ({one.reason})" if one.reason else ""
        print(f"{printable(one.source)} -> {printable(one.target)}{why}")


def _print_summary(done: Organized) -> None:
    counts = done.counts
    said = [f"{counts[name]:,} {name}" for name in ("planned", "placed", "there", "identical") if counts[name]]
    if counts["renamed"]:
        said.append(f"{counts['renamed']:,} of them with a number, as their name was taken")
    others = f"; {not_dicom(counts['not DICOM'])}, left where they are" if counts["not DICOM"] else ""
    print((", ".join(said) or "nothing was placed") + others)
    for name in ("failed", "unreadable"):
        if counts[name]:
            print(f"dicomcore organize: {counts[name]:,} {name}, left where they are", file=sys.stderr)
    for one in done.failures[:SHOWN]:
        print(f"  {printable(one.source)}: {printable(one.reason)}", file=sys.stderr)
    if counts["failed"] + counts["unreadable"] > SHOWN:
        print("  …", file=sys.stderr)
