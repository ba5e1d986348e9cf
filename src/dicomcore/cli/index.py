"""`dicomcore index`: write the headers of folders of DICOM files to one table."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dicomcore.cli.console import (
    add_command,
    add_expect_dicom,
    counted,
    not_dicom,
    printable,
    reason_of,
    report_problem,
    word,
)
from dicomcore.cli.progress import progress_line

if TYPE_CHECKING:
    from dicomcore.archive.tables.summary import ErrorLines, Summary

__all__ = ["add_parser"]

ALL_READ, SOME_UNREADABLE, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
GROUP = re.compile(r"(?:^|[\s.(])[0-9A-Fa-f]{4}$")
ELEMENT = re.compile(r"[0-9A-FXa-fx]{2}[0-9A-Fa-f]{2}(?![0-9A-Za-z])")
SHOWN = 12  # reasons that the summary lists
DESCRIPTION = """Read the headers of all files in folders and write one row for each file: path, size, mtime, columns of
the data set typed by their VR, deviations from the standard, and why a file could not be read. The table appears
complete or not at all. A second run reads only new and changed files; after an interruption, the same command goes on
where it stopped."""
SOURCES = """folders, files, globs, archives (.zip, .tar, .tar.gz, .tar.zst), DICOMDIR files, URLs (s3://, gs://, az://,
https://), or @FILE: a text file with one source per line, or a Parquet file with a column `path`"""
EXAMPLES = (
    "dicomcore index archive/ -o index.parquet",
    "dicomcore index a.zip s3://bucket/b/ -o index.parquet --columns default,KVP --errors bad.jsonl",
)
CODES = """0 all DICOM files were read, 1 some could not be (their rows say why; with --expect-dicom, files that are
not DICOM count), 2 wrong use or no table could be written, 130 interrupted: the same command goes on."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "index", help="folders to one table", description=DESCRIPTION, examples=EXAMPLES, codes=CODES
    )
    parser.add_argument("sources", type=word, nargs="+", metavar="SOURCE", help=SOURCES)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="the table: Parquet, or another format by its suffix .arrow or .csv",
    )
    parser.add_argument(
        "--columns",
        metavar="LIST",
        help="keywords, tags (as 00100020), private tags with their creator (0019xx08:GEMS_ACQU_01) or paths of nested "
        "elements (ReferencedStudySequence[0].ReferencedSOPInstanceUID), divided by commas; @FILE takes them from a "
        "file, one per line; 'default' stands for the default columns, 'all' for a map of every top-level element",
    )
    parser.add_argument(
        "--level",
        choices=["file", "frame"],
        default="file",
        help="frame: one row for each frame of enhanced multi-frame files",
    )
    parser.add_argument("--content-hash", metavar="NAME", help="add a hash of each file's bytes, as sha256 or md5")
    parser.add_argument("--pixel-hash", metavar="NAME", help="add a hash of each file's encoded pixel data")
    parser.add_argument("--sort-by", metavar="LIST", help="columns to sort the rows by (all rows are then in memory)")
    parser.add_argument(
        "--errors", metavar="FILE", help="a JSON line for each file that could not be read, is not DICOM, or is gone"
    )
    add_expect_dicom(parser)
    parser.add_argument("--workers", type=int, metavar="N", help="threads or processes (default: all processors)")
    parser.add_argument("--engine", choices=["threads", "dask"], default="threads", help="dask: on a cluster")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="address of the cluster (default: a local cluster for this run)"
    )
    parser.add_argument("--parts", metavar="URL", help="where the cluster's workers write finished batches")
    parser.add_argument(
        "--no-resume", action="store_true", help="read all files, also those that the table has rows for"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress and no summary")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the table; return the exit code."""
    from dicomcore.archive.sources.sources import named_sources
    from dicomcore.archive.tables.parts import parts_of
    from dicomcore.archive.tables.run import index
    from dicomcore.archive.tables.summary import Summary

    try:
        sources = named_sources(arguments.sources)
    except FileNotFoundError as error:
        return _wrong(str(error))
    try:
        columns = _columns(arguments.columns)
    except (OSError, UnicodeDecodeError) as error:
        return _wrong(f"--columns: {error}")
    summary = Summary()
    try:
        with _error_lines(arguments.errors) as lines, progress_line(summary, arguments.quiet) as progress:
            index(
                sources,
                columns=columns,
                level=arguments.level,
                content_hash=arguments.content_hash,
                pixel_hash=arguments.pixel_hash,
                out=arguments.output,
                workers=arguments.workers,
                engine=arguments.engine,
                scheduler=arguments.scheduler,
                parts=arguments.parts,
                resume=not arguments.no_resume,
                sort_by=list(_words(arguments.sort_by or "")),
                progress=_both(progress, lines.failed),
                gone=_both(summary.add_gone, lines.gone),
            )
    except ValueError as error:
        return _wrong(str(error))
    except OSError as error:
        kept = (
            "; finished batches are kept, the same command goes on" if os.path.isdir(parts_of(arguments.output)) else ""
        )
        return report_problem("index", error.filename or arguments.output, f"{reason_of(error)}{kept}", WRONG_USE)
    except KeyboardInterrupt:
        begun = os.path.isdir(parts_of(arguments.output))
        how = "the same command goes on from here" if begun else "nothing was read yet"
        return report_problem("index", "", f"interrupted: {how}", INTERRUPTED)
    if arguments.json:
        print(json.dumps(summary.as_dict() | {"output": arguments.output}))
    elif not arguments.quiet:
        _print_summary(summary, arguments.output)
    if arguments.expect_dicom and summary.not_dicom:
        return report_problem("index", "", not_dicom(summary.not_dicom), SOME_UNREADABLE)
    return SOME_UNREADABLE if summary.unreadable else ALL_READ


def _wrong(message: str) -> int:
    return report_problem("index", "", message, WRONG_USE)


def _both(one: Callable[[Any], object], other: Callable[[Any], object]) -> Callable[[Any], None]:
    def tell(what: Any) -> None:
        one(what)
        other(what)

    return tell


@contextmanager
def _error_lines(path: str | None) -> Iterator[ErrorLines]:
    """The writer of error lines; without a path it writes nothing."""
    from dicomcore.archive.tables.summary import ErrorLines

    if path is None:
        yield ErrorLines(None)
        return
    with open(path, "w", encoding="utf-8") as file:
        yield ErrorLines(file)


def _columns(text: str | None) -> list[str]:
    from dicomcore.archive.tables.columns import DEFAULT_COLUMNS

    columns: list[str] = []
    for name in _words(text if text is not None else "default"):
        columns += DEFAULT_COLUMNS if name == "default" else [name]
    return columns


def _words(text: str) -> Iterator[str]:
    for part in _split(text):
        if part.startswith("@"):
            with open(part[1:], encoding="utf-8") as lines:
                found = [line.partition("#")[0] for line in lines]
            yield from (word for line in found for word in _split(line))
        else:
            yield part


def _split(text: str) -> list[str]:
    """The parts between commas; a comma inside a tag (0019,1008) separates nothing."""
    words: list[str] = []
    for part in text.split(","):
        if words and GROUP.search(words[-1]) and ELEMENT.match(part):
            words[-1] += f",{part}"
        else:
            words.append(part)
    return [word.strip() for word in words if word.strip()]


def _print_summary(summary: Summary, output: str) -> None:
    facts = summary.as_dict()
    speed = f"{facts['seconds']:.2f} s ({facts['files_per_second']:,} files/s)"
    print(f"{counted(facts['files'], 'file')} in {speed} -> {printable(output)}")
    print(_sums(facts))
    if facts["gone"]:
        verb = "is" if facts["gone"] == 1 else "are"
        gone = f"{counted(facts['gone'], 'file')} that the table had {verb} gone"
        print(f"{gone}, e.g. {printable(facts['gone_example'])}")
    for one in facts["reasons"][:SHOWN]:
        print(f"  {one['count']:>7,}  {printable(one['reason'])}")
        print(f"           e.g. {printable(one['example'])}")
    if len(facts["reasons"]) > SHOWN:
        print(f"  and for {len(facts['reasons']) - SHOWN} more reasons: see the column `error`")


def _sums(facts: dict[str, Any]) -> str:
    """The files, counted: "412 indexed, 5 of them with deviations; 3 could not be read, 7 are not DICOM"."""
    indexed = f"{facts['read']:,} indexed"
    if facts["with_issues"]:
        indexed += f", {facts['with_issues']:,} of them with deviations"
    other = f"{facts['unreadable']:,} could not be read"
    if facts["not_dicom"]:
        other += f", {not_dicom(facts['not_dicom'])}"
    return f"{indexed}; {other}"
