"""`dicomcore dump`: print the elements of files for people, as DICOM JSON or XML, or as one line of JSON each."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Sequence
from types import SimpleNamespace

from dicomcore.cli.console import add_command, printable, report_problem, word
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.paths import walk
from dicomcore.dataset.printing import data_set_lines, element_line
from dicomcore.errors import DicomError
from dicomcore.issues import Issue
from dicomcore.part10.reader import dcmread
from dicomcore.tags import Tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

__all__ = ["add_parser", "plain_arguments"]

ALL_READ, SOME_UNREADABLE, WRONG_USE = 0, 1, 2
EXAMPLES = ("dicomcore dump ct.dcm", "dicomcore dump ct.dcm --json --indent 2", "dicomcore dump report.dcm --sr")
CODES = "0 all files were read, 1 some could not be, 2 wrong use. Deviations are reported on stderr."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(subparsers, "dump", help="print the elements of files", examples=EXAMPLES, codes=CODES)
    parser.add_argument("files", type=word, nargs="+", metavar="FILE", help="DICOM files; - is standard input")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true", help="DICOM JSON (PS3.18 Annex F), one object and line for each file"
    )
    form.add_argument("--xml", action="store_true", help="the Native DICOM Model in XML (PS3.19 Annex A), of one file")
    form.add_argument(
        "--lines",
        action="store_true",
        help="JSON, one object and line for each element: file, path, tag, VR, keyword, value, offset, length",
    )
    parser.add_argument("--indent", type=int, metavar="N", help="indent JSON by N spaces for each level")
    parser.add_argument("--meta", action="store_true", help="put file meta information into JSON and XML, too")
    form.add_argument(
        "--offsets", action="store_true", help="begin each line with the value's offset and length in bytes"
    )
    form.add_argument("--sr", action="store_true", help="the content of structured reports, as an indented outline")
    form.add_argument("--html", action="store_true", help="the content of a structured report, as a page of HTML")
    parser.add_argument(
        "--force", action="store_true", help="read a bare data set: no DICM prefix, no file meta information"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="don't report deviations from the standard")
    parser.set_defaults(run=run)


def plain_arguments(files: Sequence[str]) -> SimpleNamespace:
    """What the parser makes of files without options, which is most use; `argparse` loads longer than all else."""
    return SimpleNamespace(
        files=list(files), json=False, xml=False, lines=False, indent=None, meta=False, offsets=False, sr=False,
        html=False, force=False, quiet=False, run=run,
    )  # fmt: skip


def run(arguments: argparse.Namespace | SimpleNamespace) -> int:
    """Dump the files; return the exit code."""
    code = ALL_READ
    if arguments.xml and len(arguments.files) > 1:
        return report_problem("dump", "", "--xml takes one file: an XML document holds one data set", WRONG_USE)
    for path in arguments.files:
        try:
            data_set = dcmread(sys.stdin.buffer if path == "-" else path, force=arguments.force)
            noted = _print(data_set, path, arguments)
            issues = data_set.issues + noted
        except BrokenPipeError:
            raise
        except (DicomError, OSError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):  # of standard output
                raise
            code = report_problem("dump", path, error, SOME_UNREADABLE)
            continue
        if not arguments.quiet:
            for issue in issues:
                report_problem("dump", path, f"{issue.code} {issue.message}", 0)
    return code


def _print(data_set: Dataset, path: str, arguments: argparse.Namespace | SimpleNamespace) -> tuple[Issue, ...]:
    """Print one data set; return the issues of a report's content."""
    if arguments.json:
        print(data_set.to_json(indent=arguments.indent, file_meta=arguments.meta))
        return ()
    if arguments.xml:
        from dicomcore.forms import xml_pieces  # and NumPy

        sys.stdout.writelines(xml_pieces(data_set, 0, None, arguments.meta))
        return ()
    if arguments.lines:
        import json

        for place, _, element in _walk(data_set):
            print(json.dumps({"file": path, **_plain(place, element)}, ensure_ascii=False))
        return ()
    if arguments.sr or arguments.html:
        return _print_report(data_set, path, arguments)
    if len(arguments.files) > 1:
        print(f"# {printable(path)}")
    sys.stdout.writelines(f"{line}\n" for line in (_with_offsets if arguments.offsets else data_set_lines)(data_set))
    return ()


def _print_report(data_set: Dataset, path: str, arguments: argparse.Namespace | SimpleNamespace) -> tuple[Issue, ...]:
    from dicomcore.sr import read  # few files are reports

    report = read(data_set)
    if arguments.html:
        print(report.html(), end="")
        return report.issues
    if len(arguments.files) > 1:
        print(f"# {printable(path)}")
    print(report.outline())
    return report.issues


def _walk(data_set: Dataset) -> Iterator[tuple[str, int, DataElement]]:
    """(path, depth, element) of all elements, file meta information first, with the paths of `dicomcore.patch`."""
    if data_set.file_meta:
        yield from walk(data_set.file_meta, name=_name)
    yield from walk(data_set, name=_name)


def _name(element: DataElement) -> str:
    return element.keyword or f"{int(element.tag):08X}"


def _plain(path: str, element: DataElement) -> dict[str, Any]:
    return {
        "path": path,
        "tag": f"{int(element.tag):08X}",
        "VR": element.VR,
        "keyword": element.keyword,
        "value": len(element.value) if element.VR == "SQ" else _jsonable(element.value),
        "offset": element.offset,
        "length": element.length,
    }


def _jsonable(value: Any) -> Any:
    """Numbers, text and lists for JSON; NaN and infinity as text, None for bytes (see `offset` and `length`)."""
    if isinstance(value, list):
        return [_jsonable(one) for one in value]
    if isinstance(value, bytes):
        return None
    if isinstance(value, Tag):
        return f"{int(value):08X}"
    return str(value) if isinstance(value, float) and value - value != 0 else value  # NaN or infinite


def _with_offsets(data_set: Dataset) -> Iterator[str]:
    for _, depth, element in _walk(data_set):
        margin = "   " * depth
        if element.VR == "SQ":
            text = f"{margin}{element.tag}  {element.name}  {len(element.value)} item(s) ---- "
        else:
            text = margin + element_line(element)
        yield f"{element.offset:>10} {element.length:>9}  {text}"
