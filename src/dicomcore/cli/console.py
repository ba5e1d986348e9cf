"""Output of all commands: help, one sentence on stderr for each problem, and text in any locale."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

__all__ = [
    "add_command",
    "add_expect_dicom",
    "configure_stdout",
    "counted",
    "is_folder",
    "not_dicom",
    "printable",
    "reason_of",
    "report_problem",
    "view",
    "word",
]

FORCED = "; --force reads it as a bare data set"
# Advice in messages for callers of functions, and its wording for each command; removed if the command has no option.
HINTS: dict[str, dict[str, str]] = {
    "; force=True reads it as a bare data set": dict.fromkeys(("dump", "frames", "transcode"), FORCED),
    "; invent=True makes values up": {"dicomdir": "; --invent makes values up"},
    ", or give enforce_standard=False": {},
    "; overwrite=True replaces it": {},
    ", and overwrite=False": {},
    "; partial=True joins those that are there": {},
}
ESCAPE = "dicomcore.escape"
ESCAPE_ALL = "dicomcore.escape_all"


# -- help


def add_command(
    subparsers: Any, name: str, *, help: str, examples: Sequence[str], codes: str, description: str = ""
) -> argparse.ArgumentParser:
    """Add a subcommand.

    Parameters
    ----------
    subparsers
        The object of ``add_subparsers()``.
    name
        The subcommand.
    help
        The line about it in the help of the program.
    examples
        Command lines, shown at the end of its help.
    codes
        The meaning of its exit codes, shown after the examples.
    description
        The first paragraph of its help; by default made from `help`.

    Returns
    -------
    argparse.ArgumentParser
        The parser, to which the caller adds arguments.
    """
    from dicomcore.cli.formatter import Formatter

    lines = "\n".join(f"  {example}" for example in examples)
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=help,
        description=description or f"{help[0].upper()}{help[1:]}.",
        epilog=f"examples:\n\n{lines}\n\nexit codes: {codes}",
        formatter_class=Formatter,
    )
    return parser


def add_expect_dicom(parser: argparse.ArgumentParser) -> None:
    """Add the option `--expect-dicom` of commands that skip files that are not DICOM."""
    parser.add_argument(
        "--expect-dicom", action="store_true", help="exit with 1 also if files are not DICOM, such as a README"
    )


def word(text: str) -> str:
    """A name that is given to a command. An empty name, often an unset variable, must not mean the current folder."""
    if not text:
        import argparse

        raise argparse.ArgumentTypeError("is empty")
    return text


# -- what went wrong


def view(text: str) -> int | tuple[float, float]:
    """The number of a view, or a window's center and width."""
    center, comma, width = text.partition(",")
    return (float(center), float(width)) if comma else int(center)


def report_problem(command: str, subject: str, reason: Exception | str, code: int) -> int:
    """Report a problem with `subject`, or with the file that an error names, on stderr; return `code`."""
    if isinstance(reason, OSError) and isinstance(reason.filename, (str, bytes)):
        subject = os.fsdecode(reason.filename) or subject
    said = reason if isinstance(reason, str) else reason_of(reason, subject)
    for hint, options in HINTS.items():
        said = said.replace(hint, options.get(command, ""))
    about = f"{printable(subject)}: " if subject else ""
    print(f"dicomcore {command}: {about}" + "\n".join(map(printable, said.splitlines())), file=sys.stderr)
    return code


def reason_of(error: Exception, subject: str = "") -> str:
    """The message of an exception for a user of commands, without the name `subject` that is printed before it."""
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
    else:
        reason = str(error) or type(error).__name__
        for name in (subject, os.path.abspath(subject)) if subject else ():
            reason = reason.removeprefix(f"{name!r} ").removeprefix(f"{name} ").removeprefix(f"{name}: ")
            reason = reason.removeprefix(f"{name}, ")  # a frame number follows
    return reason.replace("dicomcore.archive.index()", "`dicomcore index`").replace("give kind,", "give --kind,")


def printable(text: str) -> str:
    """Text on one line, with escapes for control characters and for undecodable bytes of file names."""
    return "".join(one if one.isprintable() else _seen(one) for one in text)


def counted(number: int, noun: str) -> str:
    """A number and the noun it counts: "1 file", "2,000 files"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def not_dicom(number: int) -> str:
    """How many files are not DICOM: "1 is not DICOM", "7 are not DICOM"."""
    return f"{number:,} {'is' if number == 1 else 'are'} not DICOM"


def _seen(one: str) -> str:
    return f"\\x{ord(one) - 0xDC00:02x}" if "\udc80" <= one <= "\udcff" else repr(one)[1:-1]


# -- where output goes


def is_folder(path: str) -> bool:
    """Whether output goes into a folder: `path` is an existing one, or ends with a separator and is created.

    Raises OSError if it can't be created.
    """
    if path.endswith((os.sep, os.altsep or os.sep)):
        from dicomcore.files import make_folder

        make_folder(path)
    return os.path.isdir(path)


# -- encodings


def configure_stdout(arguments: argparse.Namespace | None = None) -> None:
    """Configure standard output so that it can print every character in any locale.

    JSON, XML and CSV are for programs and are UTF-8. Other text is in the locale's encoding, with escapes for
    characters that the encoding lacks; undecodable bytes of file names are written unchanged.
    """
    if not isinstance(sys.stdout, io.TextIOWrapper):
        return
    codecs.register_error(ESCAPE, _escaped)
    codecs.register_error(ESCAPE_ALL, _escaped_all)
    if any(getattr(arguments, form, None) for form in ("json", "xml", "csv", "lines", "html")):
        sys.stdout.reconfigure(encoding="utf-8", errors=ESCAPE_ALL)
    else:
        sys.stdout.reconfigure(errors=ESCAPE)


def _escaped(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    return b"".join(bytes([ord(one) - 0xDC00]) if "\udc80" <= one <= "\udcff" else _escape(one) for one in text), (
        error.end
    )


def _escaped_all(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return b"".join(map(_escape, error.object[error.start : error.end])), error.end


def _escape(one: str) -> bytes:
    import json

    return json.dumps(one)[1:-1].encode("ascii")
