"""`dicomcore echo`: whether a peer answers."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from dicomcore.cli.console import add_command
from dicomcore.cli.network import CODES, DONE, FAILED, add_peer, run_with

__all__ = ["add_parser"]

DESCRIPTION = "Verify that a peer takes associations and answers (C-ECHO, PS3.4 Annex A)."
EXAMPLES = ("dicomcore echo PACS@pacs.example.org:104", "dicomcore echo PACS@localhost:11112 --calling ME --json")


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "echo", help="whether a peer answers", description=DESCRIPTION, examples=EXAMPLES, codes=CODES
    )
    add_peer(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Echo; return the exit code."""

    def work(address: str, options: dict[str, Any]) -> int:
        from dicomcore import net

        with net.associate(address, contexts=["1.2.840.10008.1.1"], **options) as association:
            begun = time.perf_counter()
            response = association.echo()
            took = time.perf_counter() - begun
            uid, version = association.implementation
        if arguments.json:
            said = {"peer": association.peer, "status": int(response.status), "seconds": took}
            print(json.dumps({**said, "implementation": uid, "version": version}))
        else:
            print(f"{association.peer} answers in {took * 1000:.1f} ms ({version or uid})")
        return DONE if response.status == 0 else FAILED

    return run_with("echo", arguments, work)
