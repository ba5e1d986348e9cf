"""`dicomcore report`: an index as one HTML page."""

from __future__ import annotations

import argparse
import sys
from typing import Any

__all__ = ["add_parser"]

WRITTEN, NOT_WRITTEN, WRONG_USE = 0, 1, 2
DESCRIPTION = """Write one HTML page about an index: what it holds, files that could not be read, deviations,
duplicates, how slices lie, and a picture of each of some series where the files are at hand. The page needs nothing
else: no network and no scripts."""
EPILOG = "Exit codes: 0 written, 1 the page could not be written, 2 wrong use."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("report", help="an index as one HTML page", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("index", metavar="INDEX", help="a Parquet or Arrow file, or a folder of Parquet files")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the HTML file to write")
    parser.add_argument("--title", default="Archive report", help="what the page is called (default: %(default)s)")
    parser.add_argument(
        "--pictures", type=int, default=48, metavar="N", help="series that are shown at most (default: 48; 0: none)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the page; the exit code."""
    from dicomcore.archive.listing import open_index
    from dicomcore.archive.page import report

    if arguments.pictures < 0:
        return _told("--pictures is not below 0", WRONG_USE)
    try:
        open_index(arguments.index)
    except (OSError, ValueError) as error:
        return _told(f"{arguments.index}: {getattr(error, 'strerror', None) or error}", WRONG_USE)
    try:
        report(arguments.index, arguments.output, title=arguments.title, pictures=arguments.pictures)
    except OSError as error:
        return _told(f"{arguments.output}: {error.strerror or error}", NOT_WRITTEN)
    except ValueError as error:
        return _told(f"{arguments.index}: {error}", WRONG_USE)
    print(arguments.output)
    return WRITTEN


def _told(message: str, code: int) -> int:
    print(f"dicomcore report: {message}", file=sys.stderr)
    return code
