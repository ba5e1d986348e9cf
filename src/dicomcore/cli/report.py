"""`dicomcore report`: write an index as one HTML page."""

from __future__ import annotations

import argparse
from typing import Any

from dicomcore.cli.console import add_command, printable, report_problem, word
from dicomcore.cli.isolate import add_isolate
from dicomcore.limits import Limits

__all__ = ["add_parser"]

WRITTEN, NOT_WRITTEN, WRONG_USE = 0, 1, 2
DESCRIPTION = """Write one HTML page about an index: its contents, files that could not be read, deviations, duplicates,
the geometry of slices, and pictures of some series whose files can be read. The page is complete by itself: it needs
no network and no scripts."""
EXAMPLES = ('dicomcore report index.parquet -o report.html --title "Archive of 2024"',)
CODES = "0 written, 1 the page could not be written, 2 wrong use."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "report", help="an index as one HTML page", description=DESCRIPTION, examples=EXAMPLES, codes=CODES
    )
    parser.add_argument(
        "index", type=word, metavar="INDEX", help="a Parquet or Arrow file, or a folder of Parquet files"
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the HTML file to write")
    parser.add_argument("--title", default="Archive report", help="title of the page (default: %(default)s)")
    parser.add_argument(
        "--pictures", type=int, default=48, metavar="N", help="show pictures of at most N series (default: 48; 0: none)"
    )
    add_isolate(parser)
    parser.set_defaults(run=run, interrupted="no page was written")


def run(arguments: argparse.Namespace) -> int:
    """Write the page; return the exit code."""
    from dicomcore.archive.listing import open_index
    from dicomcore.archive.reporting.page import report

    if arguments.pictures < 0:
        return report_problem("report", "", "--pictures must be 0 or more", WRONG_USE)
    try:
        open_index(arguments.index)
    except (OSError, ValueError) as error:
        return report_problem("report", arguments.index, error, WRONG_USE)
    try:
        report(
            arguments.index,
            arguments.output,
            title=arguments.title,
            pictures=arguments.pictures,
            limits=Limits(isolate=arguments.isolate),
        )
    except OSError as error:
        return report_problem("report", arguments.output, error, NOT_WRITTEN)
    except ValueError as error:
        return report_problem("report", arguments.index, error, WRONG_USE)
    print(printable(arguments.output))
    return WRITTEN
