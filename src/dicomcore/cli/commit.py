"""`dicomcore commit`: whether a peer keeps instances."""

from __future__ import annotations

import argparse
import json
from typing import Any

from dicomcore.cli.console import add_command, report_problem, word
from dicomcore.cli.network import CODES, DONE, FAILED, add_peer, run_with

__all__ = ["add_parser"]

DESCRIPTION = """Have a peer commit itself to keep the instances of some files, and wait for what it says (storage
commitment, PS3.4 Annex J). The files must have been sent before. Most peers answer over an association of their own:
then they have to know where --calling is, and --listen says where that is."""
EXAMPLES = (
    "dicomcore commit PACS@localhost:11112 study/*.dcm",
    "dicomcore commit PACS@pacs.example.org:104 study/*.dcm --calling CT1 --listen 0.0.0.0:11113",
)


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "commit", help="whether a peer keeps instances", description=DESCRIPTION, examples=EXAMPLES,
        codes=CODES,
    )  # fmt: skip
    add_peer(parser)
    parser.add_argument("files", nargs="+", type=word, metavar="FILE", help="a DICOM file")
    parser.add_argument("--listen", metavar="HOST:PORT", help="where to take results that the peer brings itself")
    parser.add_argument("--wait", type=float, default=60.0, metavar="S", help="seconds to wait for them (default: 60)")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each instance")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Commit; return the exit code."""

    def work(address: str, options: dict[str, Any]) -> int:
        from dicomcore import dcmread, services
        from dicomcore.net import Status

        paths = {}
        for path in arguments.files:
            ds = dcmread(path, stop_before_pixels=True)
            paths[str(ds.SOPClassUID), str(ds.SOPInstanceUID)] = path
        result = services.commit(address, paths, listen=arguments.listen, wait=arguments.wait, **options)
        for reference, path in paths.items():
            reason = 0 if reference in result.kept else result.failed.get(services.Reference(*reference), 0x0110)
            if arguments.json:
                print(json.dumps({"path": path, "sop_instance": reference[1], "kept": not reason, "reason": reason}))
            elif reason:
                report_problem("commit", path, f"not kept: {Status(reason).text} ({reason:04X})", FAILED)
        if not arguments.json:
            print(f"{len(result.kept):,} of {len(paths):,} kept")
        return DONE if result.is_whole and len(result.kept) == len(paths) else FAILED

    return run_with("commit", arguments, work)
