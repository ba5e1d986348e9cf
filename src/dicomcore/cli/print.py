"""`dicomcore print`: images on a printer of the network."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from dicomcore.cli.console import add_command, word
from dicomcore.cli.network import CODES, DONE, add_peer, run_with

__all__ = ["add_parser"]

DESCRIPTION = "Print the frames of files on a DICOM printer (PS3.4 Annex H), some to a sheet."
EXAMPLES = (
    "dicomcore print PRINTER@localhost:11112 study/*.dcm --layout 3,4",
    "dicomcore print PRINTER@localhost:11112 photo.dcm --colour --film A4 --copies 2",
)


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "print", help="print images", description=DESCRIPTION, examples=EXAMPLES, codes=CODES
    )
    add_peer(parser)
    parser.add_argument("files", nargs="+", type=word, metavar="FILE", help="a DICOM file with images")
    parser.add_argument("--layout", default="1,1", metavar="C,R", help="columns and rows of a sheet (default: 1,1)")
    parser.add_argument("--film", default="14INX17IN", metavar="SIZE", help="the Film Size ID (default: 14INX17IN)")
    parser.add_argument("--landscape", action="store_true", help="turn the film")
    parser.add_argument("--colour", action="store_true", help="print in colour")
    parser.add_argument("--copies", type=int, default=1, metavar="N", help="copies of each sheet")
    parser.add_argument("--medium", metavar="TYPE", help='the Medium Type, such as PAPER or "BLUE FILM"')
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print; return the exit code."""

    def work(address: str, options: dict[str, Any]) -> int:
        from dicomcore import services

        done = services.print_images(
            address, arguments.files, layout=arguments.layout, film_size=arguments.film, colour=arguments.colour,
            orientation="LANDSCAPE" if arguments.landscape else "PORTRAIT", copies=arguments.copies,
            medium=arguments.medium, **options,
        )  # fmt: skip
        if arguments.json:
            print(json.dumps(done._asdict()))
            return DONE
        for warning in dict.fromkeys(done.warnings):
            print(f"dicomcore print: {warning}", file=sys.stderr)
        print(f"{done.sheets:,} sheets")
        return DONE

    return run_with("print", arguments, work)
