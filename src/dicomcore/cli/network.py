"""What the commands of the network share: the peer, by address or by name, how to associate, and how results look."""

from __future__ import annotations

import argparse
import json
import os
import re
import tomllib
import warnings
from typing import TYPE_CHECKING, Any

from dicomcore.cli.console import printable, report_problem, word

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset
    from dicomcore.net import Outcome

__all__ = [
    "CODES",
    "DONE",
    "FAILED",
    "WRONG_USE",
    "add_attributes",
    "add_keys",
    "add_peer",
    "attributes_of",
    "check_files",
    "dataset_of",
    "keys_of",
    "moment_fault",
    "options_of",
    "peer_of",
    "print_dataset",
    "print_outcome",
    "run_with",
    "toml_of",
]

DONE, FAILED, WRONG_USE = 0, 1, 2
ANY = ("*", '""')  # keys of dates and times that are neither
TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?")
CODES = "0 all went well, 1 the peer or the network failed, or an instance did, 2 wrong use, 130 interrupted."
PEERS = "~/.config/dicomcore/peers.toml"
PEER = f"the peer: AET@HOST:PORT, or a name in {PEERS}"


def add_peer(parser: argparse.ArgumentParser) -> None:
    """Add the arguments about the peer and the association."""
    parser.add_argument("peer", type=word, metavar="PEER", help=PEER)
    parser.add_argument("--calling", metavar="AET", help="the AE title of this side (default: DICOMCORE)")
    parser.add_argument("--called", metavar="AET", help="the AE title of the peer, if PEER has none")
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds to wait for a connection and a response")
    parser.add_argument("--tls", action="store_true", help="speak TLS (PS3.15 B.12)")
    parser.add_argument("--trust", metavar="PEM", help="certificates that sign that of the peer, for --tls")
    parser.add_argument("--certificate", metavar="PEM", help="the certificate of this side, for --tls")
    parser.add_argument("--private-key", metavar="PEM", help="the key of that certificate")


def add_keys(parser: argparse.ArgumentParser, models: str) -> None:
    """Add the arguments of a query."""
    parser.add_argument(
        "-k",
        dest="keys",
        action="append",
        default=[],
        metavar="KEYWORD=VALUE",
        help="an attribute to match, with *, ? and ranges (StudyDate=20250101-); KEYWORD alone asks for its value; "
        "0010,0020 does for PatientID",
    )
    parser.add_argument("--level", metavar="LEVEL", help="PATIENT, STUDY, SERIES or IMAGE (default: the model's top)")
    parser.add_argument("--model", default="study", metavar="MODEL", help=f"{models} (default: study)")
    parser.add_argument("--json", action="store_true", help="print DICOM JSON, a line each")


def keys_of(words: list[str]) -> dict[str, str]:
    """Keys from ``KEYWORD=VALUE``, or a tag for the keyword.

    ValueError for an attribute that does not exist, and for a date or time that is none, which would match nothing.
    """
    from dicomcore.dictionary import dictionary_VR, keyword_for_tag, tag_for_keyword

    keys = {}
    for one in words:
        name, _, value = one.partition("=")
        tag = TAG.fullmatch(name)
        keyword = keyword_for_tag(int(tag[1] + tag[2], 16)) if tag is not None else name
        if not keyword or tag_for_keyword(keyword) is None:
            raise ValueError(f"{name} is no {'tag' if tag is not None else 'keyword'} of the dictionary (PS3.6)")
        fault = moment_fault(dictionary_VR(keyword), value)
        if fault:
            raise ValueError(f"{name}={value}: {fault}")
        keys[keyword] = value
    return keys


def moment_fault(vr: str, value: str) -> str:
    """Why the key `value` of an attribute with the VR `vr` is no date or time, or range of them; "" where it is one."""
    from dicomcore.catalogue.compiling import is_moment, moment_form

    texts = map(str.strip, value.split("\\"))
    if vr not in ("DA", "TM") or all(text in ANY or is_moment(vr, text) for text in texts):
        return ""
    return moment_form(vr)


def add_attributes(parser: argparse.ArgumentParser, help: str) -> None:
    """Add the arguments about the attributes of an instance."""
    parser.add_argument("-k", dest="keys", action="append", default=[], metavar="KEYWORD=VALUE", help=help)
    parser.add_argument(
        "--dataset", metavar="FILE", help="DICOM JSON or a DICOM file with attributes; those of -k count more"
    )


def attributes_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """The attributes of ``-k`` and ``--dataset``, by keyword."""
    from dicomcore import Dataset, dcmread

    made: dict[str, Any] = {}
    if arguments.dataset:
        with open(arguments.dataset, "rb") as file:
            data = file.read(1)
            is_json = data in (b"{", b"[")
            text = data + file.read() if is_json else b""
        ds = Dataset.from_json(text.decode()) if is_json else dcmread(arguments.dataset, force=True)
        made = {element.keyword: element.value for element in ds if element.keyword}
    return made | keys_of(arguments.keys)


def dataset_of(values: dict[str, Any]) -> Dataset:
    """A data set of values by keyword; an empty one has no value, or no items."""
    from dicomcore import Dataset

    made = Dataset()
    if not all(str(value).isascii() for value in values.values()):
        made.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in values.items():
        setattr(made, keyword, value or ([] if keyword.endswith("Sequence") else None))
    return made


def toml_of(path: str) -> dict[str, Any]:
    """What a file of options says. ValueError, with its name, for one that cannot be read as TOML."""
    with open(path, "rb") as file:
        try:
            return tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: {error}") from None


def check_files(*paths: str | None) -> None:
    """OSError, with its name, for a file that cannot be opened: the errors of TLS do not say which."""
    for path in filter(None, paths):
        open(path, "rb").close()


def peer_of(arguments: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The peer's address, and what its entry in the peers' file says beside it."""
    name = arguments.peer
    path = os.path.expanduser(os.environ.get("DICOMCORE_PEERS", PEERS))
    if "@" not in name and ":" not in name and os.path.exists(path):
        known = toml_of(path)
        entry = known.get(name)
        if isinstance(entry, str):
            return entry, {}
        if isinstance(entry, dict) and "address" in entry:
            return entry["address"], {key: entry[key] for key in ("calling", "called") if key in entry}
        raise ValueError(f"{name} is no peer in {path}, and no AET@HOST:PORT")
    return name, {}


def options_of(arguments: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The address and the options of `associate`."""
    from dicomcore import net

    address, options = peer_of(arguments)
    for name in ("calling", "called"):
        if getattr(arguments, name):
            options[name] = getattr(arguments, name)
    if arguments.timeout is not None:
        seconds = arguments.timeout
        options["timeouts"] = net.Timeouts(
            connect=seconds, associate=seconds, response=seconds, store=seconds, retrieve=seconds
        )
    if arguments.tls:
        check_files(arguments.trust, arguments.certificate, arguments.private_key)
        options["tls"] = net.tls_context(
            trust=arguments.trust, certificate=arguments.certificate, key=arguments.private_key
        )
    elif arguments.trust or arguments.certificate:
        raise ValueError("--trust and --certificate need --tls")
    return address, options


def run_with(command: str, arguments: argparse.Namespace, work: Any) -> int:
    """Run ``work(address, options)``, and report what goes wrong."""
    from dicomcore.errors import NetworkError

    try:
        address, options = options_of(arguments)
        with warnings.catch_warnings():  # a key may have what a value may not: wildcards, and more characters
            warnings.filterwarnings("ignore", category=UserWarning, module=r"dicomcore\.net\.requesting")
            code: int = work(address, options)
        return code
    except NetworkError as error:
        return report_problem(command, "", str(error), FAILED)
    except (ValueError, OSError) as error:
        return report_problem(command, "", error, WRONG_USE)


def print_outcome(command: str, outcome: Outcome, as_json: bool) -> None:
    """One line for an instance: on standard output as JSON, else what failed on stderr."""
    if as_json:
        print(
            json.dumps(
                {
                    "path": outcome.path,
                    "sop_class": outcome.sop_class,
                    "sop_instance": outcome.sop_instance,
                    "status": int(outcome.status),
                    "category": outcome.status.category,
                    "error": outcome.error,
                }
            )
        )
    elif int(outcome.status):
        subject = outcome.path or outcome.sop_instance
        report_problem(command, subject, outcome.error or outcome.status.text, FAILED)


def print_dataset(ds: Dataset, as_json: bool, number: int) -> None:
    """An identifier: as a line of JSON, or as `dicomcore dump` shows a data set."""
    if as_json:
        print(ds.to_json())
        return
    if number:
        print()
    for line in str(ds).splitlines():
        print(printable(line))
