"""`dicomcore build`: DICOM files from DICOM JSON and from the Native DICOM Model in XML."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from dicomcore.cli.console import add_command, is_folder, report_problem, word
from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError, ParseError
from dicomcore.forms import from_xml, read_json_lines
from dicomcore.part10.writer import dcmwrite
from dicomcore.tags import ITEM_BYTES
from dicomcore.uids import syntax_named

__all__ = ["add_parser"]

ALL_BUILT, SOME_UNBUILT, WRONG_USE = 0, 1, 2
DESCRIPTION = """Build DICOM files from DICOM JSON (PS3.18 Annex F; an object, an array, or an object a line) and from
the Native DICOM Model in XML (PS3.19 Annex A), as `dicomcore dump --json` and `--xml` write them."""
EXAMPLES = ("dicomcore build ct.json -o ct.dcm", "dicomcore dump ct.dcm --json --meta | dicomcore build - -o copy.dcm")
CODES = "0 all files were built, 1 some could not be, 2 wrong use. Values left empty are reported on stderr."
FILE_NAME = re.compile(r"[0-9.]*[0-9][0-9.]*")


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "build",
        help="build files from DICOM JSON or XML",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument("files", type=word, nargs="+", metavar="FILE", help="a JSON or XML file; - is standard input")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="PATH",
        help="a file, or a folder for a file SOPInstanceUID.dcm of each data set; a folder that ends with / is created",
    )
    parser.add_argument(
        "--transfer-syntax",
        metavar="SYNTAX",
        help="the transfer syntax to write, if the input names none or another: a UID, a keyword, or a name of "
        "`dicomcore transcode --list`",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="don't report values that were left empty")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build the files; return the exit code."""
    code = ALL_BUILT
    output = Path(arguments.output)
    try:
        several = is_folder(arguments.output)
    except OSError as error:
        return report_problem("build", arguments.output, error, WRONG_USE)
    if not several and len(arguments.files) > 1:
        return report_problem("build", str(output), "is no folder: several inputs need one", WRONG_USE)
    try:
        arguments.transfer_syntax = arguments.transfer_syntax and syntax_named(arguments.transfer_syntax)
    except ValueError as error:
        return report_problem("build", "", error, WRONG_USE)
    for path in arguments.files:
        try:
            _build(path, output, arguments)
        except BrokenPipeError:
            raise
        except (DicomError, OSError) as error:
            code = report_problem("build", path, error, SOME_UNBUILT)
    return code


def _build(path: str, output: Path, arguments: argparse.Namespace) -> None:
    if path == "-":
        found = _data_sets(sys.stdin.buffer)
        _write(found, path, output, arguments)
        return
    with open(path, "rb") as stream:
        _write(_data_sets(stream), path, output, arguments)


def _data_sets(stream: IO[bytes]) -> Iterator[Dataset]:
    """The data sets of an input in JSON or XML, as its first character decides."""
    head = stream.readline()
    while head and not head.strip():
        head = stream.readline()
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if wide and head[2:].strip(b"\0 \t\r\n").startswith((b"{", b"[")):
        raise ParseError("JSON is UTF-8: this is UTF-16, as PowerShell's > writes it; Out-File -Encoding utf8 helps")
    if wide or head.lstrip(b"\xef\xbb\xbf \t").startswith(b"<"):
        yield from_xml(_Rejoined(head, stream))
    else:
        yield from read_json_lines(chain([head], stream))


class _Rejoined:
    """A stream that first gives again the bytes that were already read from it."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self.head, self.stream = head, stream

    def read(self, size: int) -> bytes:
        head, self.head = self.head, b""
        return head or self.stream.read(size)


def _write(data_sets: Iterator[Dataset], path: str, output: Path, arguments: argparse.Namespace) -> None:
    count = 0
    for data_set in data_sets if output.is_dir() else _only(data_sets, output):
        count += 1
        if not arguments.quiet:
            for issue in data_set.issues:
                report_problem("build", path, f"{issue.code} {issue.message}", 0)
        if arguments.transfer_syntax:
            if data_set.file_meta is None:
                data_set.file_meta = Dataset()
            data_set.file_meta.TransferSyntaxUID = arguments.transfer_syntax
        _refuse_fragments(data_set)
        dcmwrite(_target(data_set, output), data_set)
    if not count:
        raise ParseError("holds no data set")


def _only(data_sets: Iterator[Dataset], output: Path) -> Iterator[Dataset]:
    """The only data set of an input, which is read to its end before anything is written."""
    first = list(islice(data_sets, 2))
    if len(first) > 1:
        raise ParseError(f"holds several data sets, and {output} is no folder: `-o {output}{os.sep}` creates one")
    yield from first


def _refuse_fragments(data_set: Dataset) -> None:
    """Refuse encapsulated pixel data without a transfer syntax, which alone tells how it is encoded."""
    if data_set.transfer_syntax is None and data_set.get("PixelData", None):
        begins = bytes(data_set.PixelData[:4]) if data_set["PixelData"].VR == "OB" else b""
        if begins == ITEM_BYTES:
            raise ParseError("7FE00010: encapsulated pixel data, and no transfer syntax: give --transfer-syntax")


def _target(data_set: Dataset, output: Path) -> Path:
    """The file to write; a SOP Instance UID becomes its name only if it consists of digits and points."""
    if not output.is_dir():
        return output
    uid = str(data_set.get("SOPInstanceUID", ""))
    if not FILE_NAME.fullmatch(uid):
        raise ParseError(f"00080018: {uid[:80]!r} is no UID that a file can be named after")
    return output / f"{uid}.dcm"
