"""`dicomcore transcode`: write a file or a folder in another transfer syntax."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from dicomcore.cli.console import add_command, add_expect_dicom, is_folder, not_dicom, reason_of, report_problem, word
from dicomcore.cli.isolate import add_isolate, add_strict
from dicomcore.errors import DicomError
from dicomcore.limits import Limits

__all__ = ["add_parser"]

ALL_DONE, SOME_NOT, WRONG_USE = 0, 1, 2
FUNCTION = re.compile(r"; dicomcore\.pixels\.\w+\(\) takes one")
EVERY = 0.5  # seconds between two lines of progress
DESCRIPTION = """Write a DICOM file, or every DICOM file of a folder, in another transfer syntax. Files are replaced
only by complete ones; a second run over a folder skips the files that the first one finished."""
EXAMPLES = (
    "dicomcore transcode ct.dcm -o small.dcm --to jpeg-lossless",
    "dicomcore transcode archive/ -o small/ --to jpeg-ls --verify",
)
CODES = """0 all DICOM files were written, 1 some could not be (with --expect-dicom, files that are not DICOM count), 2
wrong use, 130 interrupted: the same command goes on."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "transcode",
        help="into another transfer syntax",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument("source", type=word, metavar="FILE_OR_DIR", nargs="?", help="a DICOM file, or a folder of them")
    parser.add_argument(
        "-o", "--output", metavar="FILE_OR_DIR", help="the file to write, or a folder for the files of a folder"
    )
    parser.add_argument("--to", metavar="SYNTAX", help="name, keyword or UID of the transfer syntax; see --list")
    parser.add_argument("--list", action="store_true", help="print the names of transfer syntaxes")
    parser.add_argument(
        "--quality",
        type=float,
        metavar="Q",
        help="quality of lossy syntaxes; its meaning depends on the syntax, see --list",
    )
    parser.add_argument("--frames", metavar="N[-M][,…]", help="only these frames, from 0")
    parser.add_argument("--workers", type=int, metavar="N", help="threads (default: one for each CPU)")
    parser.add_argument("--verify", action="store_true", help="read the new file and compare every frame")
    parser.add_argument(
        "--offset-table",
        choices=("basic", "extended", "none"),
        help="kind of offset table (default: basic, or extended if 32 bits don't suffice)",
    )
    parser.add_argument(
        "--damaged",
        choices=("refuse", "keep"),
        default="refuse",
        help="files whose pixel data is cut short: leave them out, or write what is there and report the rest "
        "(default: refuse)",
    )
    parser.add_argument(
        "--no-resume", action="store_true", help="write all files of a folder, also those that are finished"
    )
    parser.add_argument("--durable", action="store_true", help="wait for the disk after each file of a folder")
    instance = parser.add_mutually_exclusive_group()
    instance.add_argument(
        "--new-instance", action="store_true", default=None, help="always give a new SOP Instance UID"
    )
    instance.add_argument(
        "--same-instance", dest="new_instance", action="store_false", help="always keep the SOP Instance UID"
    )
    parser.add_argument("--force", action="store_true", help="read bare data sets: no file meta information")
    add_expect_dicom(parser)
    add_isolate(parser)
    add_strict(parser)
    parser.add_argument("--json", action="store_true", help="print a summary as a JSON object")
    parser.set_defaults(run=run, interrupted="no file is half written, the same command does the rest")


def run(arguments: argparse.Namespace) -> int:
    """Transcode the files; return the exit code."""
    if arguments.list:
        return _list()
    if not arguments.source or not arguments.output or not arguments.to:
        return report_problem("transcode", "", "FILE_OR_DIR, --output and --to are needed", WRONG_USE)
    if arguments.workers is not None and arguments.workers < 1:
        return report_problem("transcode", "", "--workers must be 1 or more", WRONG_USE)
    from dicomcore.pixels.coding.encoder_registry import refuse_idle_quality
    from dicomcore.uids import syntax_named

    try:
        refuse_idle_quality(syntax_named(arguments.to), arguments.quality)
        frames = _frames(arguments.frames)
    except ValueError as error:
        return report_problem("transcode", "", error, WRONG_USE)
    if not os.path.lexists(arguments.source):
        return report_problem("transcode", arguments.source, "no such file or folder", WRONG_USE)
    options: dict[str, Any] = {
        "quality": arguments.quality,
        "frames": frames,
        "verify": arguments.verify,
        "offset_table": arguments.offset_table,
        "new_instance": arguments.new_instance,
        "force": arguments.force,
        "damaged": arguments.damaged,
        "limits": Limits(isolate=arguments.isolate, strict=arguments.strict),
    }
    work = _folder if os.path.isdir(arguments.source) else _file
    return work(arguments, options)


def _file(arguments: argparse.Namespace, options: dict[str, Any]) -> int:
    from dicomcore.transcoding import transcode

    target = arguments.output
    try:
        if is_folder(target):
            target = os.path.join(target, os.path.basename(arguments.source))
        done = transcode(arguments.source, target, arguments.to, workers=arguments.workers, **options)
    except (DicomError, IndexError) as error:
        return report_problem("transcode", arguments.source, _for_command(reason_of(error, arguments.source)), SOME_NOT)
    except OSError as error:
        return report_problem("transcode", target, error, SOME_NOT)
    _report_damage(arguments.source, done.damage)
    if arguments.json:
        record = {name: getattr(done, name) for name in done.__slots__}
        record["issues"] = [f"{issue.code} {issue.message}" for issue in done.issues]
        print(json.dumps({"file": target, **record, "transfer_syntax": str(done.transfer_syntax)}))
    elif done.verified and not done.lossless:
        print(_loss(done))
    return ALL_DONE


def _loss(done: Any) -> str:
    """A line with the errors that verification measured, and their limits."""
    errors = []
    for words, error, limit in (
        ("largest error", done.largest_error, done.largest_limit),
        ("rms error", done.rms_error, done.rms_limit),
    ):
        errors.append(f"{words} {error:.4g}" + (f" (at most {limit:.4g})" if limit is not None else ""))
    return f"verified: {', '.join(errors)}"


def _report_damage(path: str, damage: Iterable[str]) -> None:
    for text in damage:
        report_problem("transcode", path, f"written although damaged: {text}", ALL_DONE)


def _for_command(reason: str) -> str:
    """A reason with the command's options in place of functions and their arguments."""
    return FUNCTION.sub("", reason).replace('damaged="keep"', "--damaged keep")


def _folder(arguments: argparse.Namespace, options: dict[str, Any]) -> int:
    from dicomcore.archive.organizing.transcoding import transcode_folder

    try:
        summary = transcode_folder(
            arguments.source,
            arguments.output,
            arguments.to,
            workers=arguments.workers,
            resume=not arguments.no_resume,
            durable=arguments.durable,
            progress=_progress(),
            **options,
        )
    except (OSError, ValueError) as error:
        return report_problem("transcode", arguments.output, error, WRONG_USE)
    for one in summary.passed_over:
        report_problem("transcode", one.path, one.reason, ALL_DONE)
    for one in summary.failures:
        report_problem("transcode", one.path, _for_command(one.reason), SOME_NOT)
    for one in summary.damaged:
        _report_damage(one.path, one.damage)
    if arguments.json:
        record = summary.record()
        for failure in record["failures"]:
            failure["reason"] = _for_command(failure["reason"])
        print(json.dumps(record))
    else:
        counts = ", ".join(f"{count} {fate}" for fate, count in summary.counts.items()) or "no files"
        counts += f", {len(summary.damaged)} of them damaged" * bool(summary.damaged)
        print(f"{counts}; {summary.bytes_in} bytes to {summary.bytes_out} in {summary.seconds:.1f} s")
    if arguments.expect_dicom and (others := summary.counts.get("not DICOM", 0)):
        return report_problem("transcode", arguments.source, not_dicom(others), SOME_NOT)
    return SOME_NOT if summary.failures else ALL_DONE


def _progress() -> Callable[[Any], object] | None:
    """The function that prints progress on a terminal every half a second; None if stderr is no terminal."""
    if not sys.stderr.isatty():
        return None
    state = {"files": 0, "bytes": 0, "said": monotonic()}

    def tell(outcome: Any) -> None:
        state["files"] += 1
        state["bytes"] += outcome.bytes_in
        if monotonic() - state["said"] > EVERY:
            state["said"] = monotonic()
            print(f"\r{state['files']} files, {state['bytes'] / 1e6:.0f} MB", end="\r", file=sys.stderr, flush=True)

    return tell


def _frames(text: str | None) -> list[int] | None:
    """The frame numbers of a text such as ``0,3-5``."""
    if text is None:
        return None
    chosen: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) < int(first)):
            raise ValueError(f"--frames takes numbers and ranges such as 0,3-5, not {text!r}")
        chosen.extend(range(int(first), int(last or first) + 1))
    return chosen


def _list() -> int:
    from dicomcore.pixels.coding import encoders as encoding
    from dicomcore.uids import NAMES, UID

    for name, uid in NAMES.items():
        print(f"{name:18}{uid:26}{UID(uid).name}")
    print("\n" + (encoding.__doc__ or "").partition("\n\n")[2].strip())
    return ALL_DONE
