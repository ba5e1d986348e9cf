"""`dicomcore move`: have a peer send instances to another one."""

from __future__ import annotations

import argparse
import json
from typing import Any

from dicomcore.cli.console import add_command, report_problem
from dicomcore.cli.network import CODES, DONE, FAILED, add_keys, add_peer, keys_of, run_with

__all__ = ["add_parser"]

DESCRIPTION = "Have a peer send what matches to an AE title that it knows (C-MOVE, PS3.4 C.4.2)."
EXAMPLES = ("dicomcore move PACS@localhost:11112 --to WORKSTATION -k StudyInstanceUID=1.2.3",)


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "move",
        help="have a peer send to another one",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    add_peer(parser)
    add_keys(parser, "patient, study and others of PS3.4")
    parser.add_argument("--to", required=True, metavar="AET", help="the AE title of the destination")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Move; return the exit code."""

    def work(address: str, options: dict[str, Any]) -> int:
        from dicomcore import net

        keys = keys_of(arguments.keys)
        last = None
        with net.associate(address, **options) as association:
            for last in association.move(keys, to=arguments.to, level=arguments.level, model=arguments.model):
                if arguments.json:
                    counts = {name: getattr(last, name) for name in ("remaining", "completed", "failed", "warning")}
                    print(json.dumps({"status": int(last.status), **counts, "comment": last.comment}))
        if last is None or not last.status.is_success or last.failed:
            said = "no response" if last is None else f"{last.comment or last.status.text}, {last.failed or 0} failed"
            return report_problem("move", arguments.to, said, FAILED)
        if not arguments.json:
            print(f"{last.completed or 0:,} sent to {arguments.to}")
        return DONE

    return run_with("move", arguments, work)
