"""`dicomcore store`: send files to a peer."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from dicomcore.cli.console import add_command, counted, not_dicom, report_problem, word
from dicomcore.cli.network import CODES, DONE, FAILED, WRONG_USE, add_peer, print_outcome, run_with

if TYPE_CHECKING:
    from dicomcore.net import Outcome

__all__ = ["add_parser"]

DESCRIPTION = """Send files, and those in folders, to a peer (C-STORE, PS3.4 Annex B). They go out byte for byte; what
the peer takes in no transfer syntax of its own is a failure unless --transcode allows more."""
EXAMPLES = (
    "dicomcore store PACS@pacs.example.org:104 study/",
    "dicomcore store PACS@localhost:11112 archive/ --workers 4 --resume sent.jsonl",
)


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "store", help="send files to a peer", description=DESCRIPTION, examples=EXAMPLES, codes=CODES
    )
    add_peer(parser)
    parser.add_argument("sources", type=word, nargs="+", metavar="FILE_OR_DIR", help="files, and folders of them")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="associations at a time (default: 2)")
    parser.add_argument(
        "--transcode",
        choices=("never", "uncompressed", "lossless"),
        default="uncompressed",
        help="conversions that are allowed: none, of uncompressed data (default), of compressed data too",
    )
    parser.add_argument("--retries", type=int, default=2, metavar="N", help="for a lost association (default: 2)")
    parser.add_argument("--resume", metavar="FILE", help="list what was stored, and do not send it a second time")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each instance, one a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Send the files; return the exit code."""
    for source in arguments.sources:
        if not os.path.lexists(source):
            return report_problem("store", source, "no such file or folder", WRONG_USE)

    def each(outcome: Outcome) -> None:
        print_outcome("store", outcome, arguments.json)

    def work(address: str, options: dict[str, Any]) -> int:
        from dicomcore import net

        sent = net.send(
            arguments.sources,
            address,
            workers=arguments.workers,
            transcode=arguments.transcode,
            retries=arguments.retries,
            resume=arguments.resume,
            each=each,
            **options,
        )
        if not arguments.json:
            parts = [f"{counted(sent.stored, 'instance')} stored"]
            parts += [f"{sent.warnings:,} with a warning"] if sent.warnings else []
            parts += [f"{len(sent.failures):,} failed"] if sent.failures else []
            parts += [f"{sent.skipped:,} sent before"] if sent.skipped else []
            parts += [not_dicom(sent.passed_over)] if sent.passed_over else []
            print(", ".join(parts))
        return DONE if sent else FAILED

    return run_with("store", arguments, work)
