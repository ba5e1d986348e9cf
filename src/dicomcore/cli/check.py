"""`dicomcore check`: what is wrong with files, by the definitions of the standard."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dicomcore.archive.failure import NOT_DICOM, kind_of
from dicomcore.archive.sources.place import Fault
from dicomcore.archive.sources.walk import walk_folder
from dicomcore.cli.console import add_command, counted, printable, reason_of, report_problem, word
from dicomcore.errors import DicomError
from dicomcore.threads import cpus, in_order

if TYPE_CHECKING:
    from dicomcore.iod import Report

__all__ = ["add_parser"]

CLEAN, FINDINGS, WRONG_USE = 0, 1, 2
DESCRIPTION = """Check DICOM files against the definition of their SOP class (PS3.3): what is missing, what is there and
should not be, and what contradicts itself. Files of a folder that are not DICOM are passed over."""
EXAMPLES = (
    "dicomcore check ct.dcm",
    "dicomcore check archive/ --at-least error --out findings.parquet",
    "dicomcore check archive/ --rule coherence --skip MODALITY",
    "dicomcore check --explain PIXELS_SHORT",
)
CODES = "0 nothing was found, 1 something was found or a file could not be read, 2 wrong use."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "check",
        help="what is wrong with files",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument("sources", type=word, nargs="*", metavar="FILE_OR_DIR", help="files, and folders of them")
    parser.add_argument("--iod", metavar="SOP_CLASS", help="UID or name of a SOP class, in place of the files' own")
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="RULE",
        help="only these: structure, values, coherence, or the code of a finding",
    )
    parser.add_argument("--skip", action="append", default=[], metavar="CODE", help="not these findings")
    parser.add_argument(
        "--at-least",
        choices=("note", "warning", "error"),
        default="warning",
        help="the least severity that counts (default: warning)",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="threads (default: one for each CPU)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON object for each file, one a line")
    form.add_argument("--out", metavar="PARQUET", help="write a row for each finding, and print a summary")
    form.add_argument("--explain", metavar="CODE", help="say what a code means")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the files; return the exit code."""
    if arguments.explain:
        return _explain(arguments.explain)
    if not arguments.sources:
        return report_problem("check", "", "FILE_OR_DIR is needed", WRONG_USE)
    if arguments.workers is not None and arguments.workers < 1:
        return report_problem("check", "", "--workers must be 1 or more", WRONG_USE)
    from dicomcore.iod import describe
    from dicomcore.iod.checking import chosen_rules
    from dicomcore.iod.codes import GROUPS

    rules = (*(arguments.rule or GROUPS), *(f"-{code}" for code in arguments.skip))
    try:
        chosen_rules(rules, arguments.at_least)
        if arguments.iod:
            describe(arguments.iod)
    except (KeyError, ValueError) as error:
        return report_problem("check", "", str(error.args[0]), WRONG_USE)
    for source in arguments.sources:
        if not os.path.lexists(source):
            return report_problem("check", source, "no such file or folder", WRONG_USE)
    options = {"iod": arguments.iod, "rules": rules, "at_least": arguments.at_least}
    tally = _Tally()
    if not arguments.out:
        for path, report in _reports(arguments, options, tally):
            _print(path, report, arguments.json)
        return tally.code()
    try:
        _write(arguments.out, _reports(arguments, options, tally))
    except (OSError, ValueError) as error:
        return report_problem("check", arguments.out, error, WRONG_USE)
    tally.print()
    return tally.code()


def _explain(name: str) -> int:
    from dicomcore.iod.codes import NAMES

    code = NAMES.get(name.upper())
    if code is None:
        return report_problem("check", "", f"{name} is no code; they are {', '.join(NAMES)}", WRONG_USE)
    clause = f", {code.clause if code.clause[:2] == 'PS' else f'PS3.3 {code.clause}'}" if code.clause else ""
    print(f"{code.name} ({code.severity}, {code.group}{clause})\n\n{code.explanation}")
    return CLEAN


class _Tally:
    """What came of all files."""

    def __init__(self) -> None:
        self.files = self.unclean = self.failed = self.passed_over = 0
        self.codes: Counter[tuple[str, str]] = Counter()

    def add(self, report: Report) -> None:
        self.files += 1
        self.unclean += len(report) > 0
        self.codes.update((one.severity, one.code) for one in report)

    def code(self) -> int:
        return FINDINGS if self.unclean or self.failed else CLEAN

    def print(self) -> None:
        for (severity, code), count in sorted(self.codes.items()):
            print(f"{count:8,} {severity:8}{code}")
        print(f"{counted(self.files, 'file')} checked, {self.unclean:,} of them with findings")


def _reports(arguments: argparse.Namespace, options: dict[str, Any], tally: _Tally) -> Iterator[tuple[str, Report]]:
    """Each file with its report, in order. Files that can't be read are named on stderr."""
    from dicomcore.iod import check

    def work(place: tuple[str, bool]) -> tuple[str, bool, Report | Exception]:
        path, named = place
        if isinstance(path, Fault):
            return path, named, OSError(path.reason)
        try:
            return path, named, check(path, **options)
        except (DicomError, OSError) as error:
            return path, named, error

    for path, named, found in in_order(_places(arguments.sources), work, arguments.workers or cpus(), ahead=16):
        if not isinstance(found, Exception):
            tally.add(found)
            yield path, found
        elif named or kind_of(found) != NOT_DICOM:
            tally.failed += 1
            report_problem("check", path, reason_of(found, path), FINDINGS)
        else:
            tally.passed_over += 1


def _places(sources: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Each file, and whether it was named itself."""
    walked: set[tuple[int, int]] = set()
    for source in sources:
        if os.path.isdir(source):
            for path in walk_folder(source, walked):
                yield path, False
        else:
            yield source, True


def _print(path: str, report: Report, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": path, **report.to_json()}))
    elif len(report):
        print(f"{printable(path)}: {report}")


def _write(target: str, reports: Iterator[tuple[str, Report]]) -> None:
    """Write a row for each finding, with its file and SOP class in front."""
    from dicomcore.archive.extra import needs_extra

    with needs_extra("pyarrow"):
        import pyarrow as pa

        from dicomcore.archive.tables.output import OutputFile
    from dicomcore.iod import Report

    def table_of(path: str, report: Report) -> pa.Table:
        table = report.to_arrow()
        for name, value in (("sop_class", report.sop_class), ("file", path)):
            table = table.add_column(0, name, [pa.array([value] * len(report), pa.string())])
        return table

    with OutputFile(target, table_of("", Report()).schema) as output:
        for path, report in reports:
            if len(report):
                for batch in table_of(path, report).to_batches():
                    output.write(batch)
