"""`dicomcore find`: query a peer."""

from __future__ import annotations

import argparse
from itertools import islice
from typing import Any

from dicomcore.cli.console import add_command
from dicomcore.cli.network import CODES, DONE, add_keys, add_peer, keys_of, print_dataset, run_with

__all__ = ["add_parser"]

DESCRIPTION = "Query a peer (C-FIND, PS3.4 Annex C), and print what matches."
EXAMPLES = (
    "dicomcore find PACS@localhost:11112 -k 'PatientName=DOE*' -k StudyDate=20250101- -k StudyDescription",
    "dicomcore find PACS@localhost:11112 --level SERIES -k StudyInstanceUID=1.2.3 -k Modality --json",
)


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "find", help="query a peer", description=DESCRIPTION, examples=EXAMPLES, codes=CODES
    )
    add_peer(parser)
    add_keys(parser, "patient, study and others of PS3.4")
    parser.add_argument("--most", type=int, metavar="N", help="cancel after N matches")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Query; return the exit code."""

    def work(address: str, options: dict[str, Any]) -> int:
        from dicomcore import net

        keys = keys_of(arguments.keys)
        with net.associate(address, **options) as association:
            found = association.find(keys, level=arguments.level, model=arguments.model)
            for number, ds in enumerate(islice(found, arguments.most)):
                print_dataset(ds, arguments.json, number)
            found.close()  # type: ignore[attr-defined]
        return DONE

    return run_with("find", arguments, work)
