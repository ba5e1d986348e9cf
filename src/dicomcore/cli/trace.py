"""`dicomcore trace`: what captured packets say."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from dicomcore.cli.console import add_command, printable, report_problem, word

if TYPE_CHECKING:
    from dicomcore.net.tracing import Fact

__all__ = ["add_parser"]

DESCRIPTION = """Show the associations and messages of captured packets (pcap, pcapng), as tcpdump and Wireshark write
them. Values of patients are left out unless they are asked for. It needs dpkt: pip install "dicomcore[trace]"."""
EXAMPLES = (
    "tcpdump -i any -w dicom.pcap tcp port 104",
    "dicomcore trace dicom.pcap",
    "dicomcore trace dicom.pcapng --json",
    "dicomcore trace dicom.pcap --values",
)
CODES = "0 all was read, 1 something in the capture could not be read, 2 wrong use, 130 interrupted."
LED = ("time", "connection", "source", "target", "what")  # at the beginning of each line, in a form of their own


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "trace",
        help="what captured packets say",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument("capture", type=word, metavar="FILE", help="the capture")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each PDU and message, a line each")
    parser.add_argument(
        "--values", action="store_true", help="also print UIDs of instances, comments, and data sets of up to 1 MiB"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Trace; return the exit code."""
    from dicomcore.errors import ParseError
    from dicomcore.net.tracing import trace

    code, begun = 0, None
    try:
        for fact in trace(arguments.capture, values=arguments.values):
            code |= "error" in fact
            begun = fact["time"] if begun is None else begun
            if arguments.json:
                print(json.dumps(_plain(fact)))
            else:
                _show(fact, begun)
    except ParseError as error:
        return report_problem("trace", arguments.capture, error, 2)
    except OSError as error:
        return report_problem("trace", arguments.capture, error, 2)
    return code


def _plain(fact: Fact) -> Fact:
    """A fact as JSON has it."""
    ds = fact.get("data_set")
    return fact if ds is None else {**fact, "data_set": json.loads(ds.to_json())}


def _show(fact: Fact, begun: float) -> None:
    """A fact as lines of text: when, in which connection, from whom to whom, what."""
    head = f"{fact['time'] - begun:12.6f} {fact['connection']:4} {fact['source']} > {fact['target']} {fact['what']}"
    rest = {name: value for name, value in fact.items() if name not in LED}
    contexts, ds = rest.pop("contexts", ()), rest.pop("data_set", None)
    print(printable(head + "".join(f" {name}={_words(value)}" for name, value in rest.items())))
    for one in contexts:
        print(printable("".ljust(18) + " ".join(f"{name}={_words(value)}" for name, value in one.items())))
    if ds is not None:
        for line in str(ds).splitlines():
            print(printable("".ljust(18) + line))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={_words(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_words, value)) + "]"
    return repr(value) if isinstance(value, str) and " " in value else str(value)
