"""`dicomcore check`: what is wrong with files, by the definitions of the standard."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING, Any

from dicomcore.cli.console import add_command, counted, not_dicom, printable, reason_of, report_problem, word
from dicomcore.cli.progress import progress_line

if TYPE_CHECKING:
    from dicomcore.archive.checking.rules import Rules
    from dicomcore.archive.checking.summary import CheckTally, Line
    from dicomcore.archive.failure import Failure
    from dicomcore.archive.sources.sources import SourceLike
    from dicomcore.iod import Report

__all__ = ["add_parser"]

CLEAN, FINDINGS, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
FAILURE = ("file", "error", "error_kind")
BATCH = 200  # files that are checked before what was found is printed
DESCRIPTION = """Check DICOM files against the definition of their SOP class (PS3.3): what is missing, what is there and
should not be, and what contradicts itself. Files of a folder that are not DICOM are passed over. With --out, a second
run checks only new and changed files; after an interruption, the same command goes on where it stopped."""
SOURCES = """files, folders, globs, archives (.zip, .tar, .tar.gz, .tar.zst), DICOMDIR files, URLs (s3://, gs://, az://,
https://), or @FILE: a text file with one source per line, or a Parquet file with a column `path`"""
EXAMPLES = (
    "dicomcore check ct.dcm",
    "dicomcore check archive/ --at-least error --out findings.parquet",
    "dicomcore check archive/ --rule coherence --skip MODALITY",
    "dicomcore check --explain PIXELS_SHORT",
)
CODES = """0 nothing was found, 1 something was found or a file could not be read, 2 wrong use, 130 interrupted: with
--out, the same command goes on."""


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
    parser.add_argument("sources", type=word, nargs="*", metavar="SOURCE", help=SOURCES)
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
    form.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="write a row for each finding and print a summary: Parquet, or by the suffix Arrow (.arrow) or CSV",
    )
    form.add_argument("--explain", metavar="CODE", help="say what a code means")
    parser.add_argument("--no-resume", action="store_true", help="with --out: check all files again")
    parser.add_argument("-q", "--quiet", action="store_true", help="with --out: no progress and no summary")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the files; return the exit code."""
    if arguments.explain:
        return _explain(arguments.explain)
    if not arguments.sources:
        return report_problem("check", "", "SOURCE is needed", WRONG_USE)
    if arguments.workers is not None and arguments.workers < 1:
        return report_problem("check", "", "--workers must be 1 or more", WRONG_USE)
    from dicomcore.archive.checking.rules import Rules
    from dicomcore.archive.checking.summary import CheckTally
    from dicomcore.archive.sources.sources import named_sources
    from dicomcore.iod.codes import GROUPS

    rules = (*(arguments.rule or GROUPS), *(f"-{code}" for code in arguments.skip))
    try:
        chosen = Rules(rules, iod=arguments.iod, at_least=arguments.at_least)
        sources = named_sources(arguments.sources)
    except (KeyError, ValueError) as error:
        return report_problem("check", "", str(error.args[0]), WRONG_USE)
    except FileNotFoundError as error:
        return report_problem("check", "", str(error), WRONG_USE)
    outcome = _Outcome(CheckTally(), frozenset(arguments.sources))
    try:
        if arguments.out:
            return _write(arguments, rules, sources, outcome)
        _print_all(arguments, chosen, sources, outcome)
    except KeyboardInterrupt:
        goes_on = ": the same command goes on from here" if arguments.out else ""
        return report_problem("check", "", f"interrupted{goes_on}", INTERRUPTED)
    return outcome.code()


def _explain(name: str) -> int:
    from dicomcore.iod.codes import NAMES

    code = NAMES.get(name.upper())
    if code is None:
        return report_problem("check", "", f"{name} is no code; they are {', '.join(NAMES)}", WRONG_USE)
    clause = f", {code.clause if code.clause[:2] == 'PS' else f'PS3.3 {code.clause}'}" if code.clause else ""
    print(f"{code.name} ({code.severity}, {code.group}{clause})\n\n{code.explanation}")
    return CLEAN


class _Outcome:
    """What came of all files; those that were `named` have to be DICOM."""

    def __init__(self, tally: CheckTally, named: frozenset[str]) -> None:
        self.tally = tally
        self.failed = 0
        self._named = named

    def fail(self, path: str, failure: Failure) -> None:
        """Report a file that could not be read; one of another kind counts only if it was named itself."""
        from dicomcore.archive.failure import NOT_DICOM

        if failure.kind != NOT_DICOM or path in self._named:
            self.failed += 1
            report_problem("check", path, failure.reason, FINDINGS)

    def code(self) -> int:
        return FINDINGS if self.tally.unclean or self.failed else CLEAN


def _print_all(arguments: argparse.Namespace, rules: Rules, sources: list[SourceLike], outcome: _Outcome) -> None:
    """Print what is found in each file, while others are checked."""
    from dicomcore.archive.checking.reports import reports_of
    from dicomcore.archive.checking.run import check_batches
    from dicomcore.iod import Report

    for batch in check_batches(sources, rules, batch=BATCH, workers=arguments.workers):
        outcome.tally.add(batch)
        for path, found in reports_of(batch):
            if isinstance(found, Report):
                _print(path, found, arguments.json)
            else:
                outcome.fail(path, found)


def _print(path: str, report: Report, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": path, **report.to_json()}))
    elif len(report):
        print(f"{printable(path)}: {report}")


def _write(arguments: argparse.Namespace, rules: tuple[str, ...], sources: list[SourceLike], outcome: _Outcome) -> int:
    """Write the table of findings, and print what it comes to."""
    from dicomcore.archive.checking.run import check
    from dicomcore.archive.failure import Failure
    from dicomcore.archive.tables.parts import parts_of

    with progress_line(outcome.tally, arguments.quiet) as add:

        def progress(batch: Any) -> None:
            add(batch)
            if batch["error"].null_count < batch.num_rows:
                for path, *failure in zip(*(batch[name].to_pylist() for name in FAILURE), strict=True):
                    if failure[0] is not None:
                        outcome.fail(path, Failure(*failure))

        try:
            check(
                sources,
                out=arguments.out,
                iod=arguments.iod,
                rules=rules,
                at_least=arguments.at_least,
                workers=arguments.workers,
                resume=not arguments.no_resume,
                progress=progress,
            )
        except (OSError, ValueError) as error:
            kept = "; finished batches are kept, the same command goes on" * os.path.isdir(parts_of(arguments.out))
            return report_problem("check", arguments.out, f"{reason_of(error, arguments.out)}{kept}", WRONG_USE)
    if not arguments.quiet:
        _print_summary(outcome.tally)
    return outcome.code()


def _print_summary(tally: CheckTally) -> None:
    lines = [line for line in tally.lines() if line.code is not None]
    if lines:
        print(f"{'files':>9} {'findings':>9}")
    for line in lines:
        print(_summed(line))
    others = [f"{tally.unreadable:,} could not be read"] * (tally.unreadable > 0)
    others += [not_dicom(tally.not_dicom)] * (tally.not_dicom > 0)
    if others:
        print(", ".join(others))
    print(f"{counted(tally.files, 'file')} checked, {tally.unclean:,} of them with findings")


def _summed(line: Line) -> str:
    name = line.iod or line.sop_class or "no SOP class"
    return f"{line.files:9,} {line.count:9,} {line.severity:8}{line.code:23} {printable(name)}"
