"""`dicomcore get`: retrieve instances into a folder."""

from __future__ import annotations

import argparse
from typing import Any

from dicomcore.cli.console import add_command, counted
from dicomcore.cli.network import CODES, DONE, FAILED, add_keys, add_peer, keys_of, print_outcome, run_with

__all__ = ["add_parser"]

DESCRIPTION = "Retrieve what matches from a peer into a folder (C-GET, PS3.4 C.4.3), as study/series/instance.dcm."
EXAMPLES = (
    "dicomcore get PACS@localhost:11112 -k StudyInstanceUID=1.2.3 -o study/",
    "dicomcore get PACS@localhost:11112 --level SERIES -k StudyInstanceUID=1.2 -k SeriesInstanceUID=1.2.3 -o series/",
)


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "get", help="retrieve from a peer", description=DESCRIPTION, examples=EXAMPLES, codes=CODES
    )
    add_peer(parser)
    add_keys(parser, "patient, study and others of PS3.4")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="the folder, which is made")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Retrieve; return the exit code."""

    def work(address: str, options: dict[str, Any]) -> int:
        from dicomcore import net

        keys = keys_of(arguments.keys)
        stored = failed = 0
        with net.associate(address, **options) as association:
            for outcome in association.get(keys, level=arguments.level, model=arguments.model, into=arguments.output):
                stored += outcome.status.is_success
                failed += not outcome.status.is_success
                print_outcome("get", outcome, arguments.json)
        if not arguments.json:
            print(f"{counted(stored, 'instance')} retrieved" + (f", {failed:,} failed" if failed else ""))
        return FAILED if failed else DONE

    return run_with("get", arguments, work)
