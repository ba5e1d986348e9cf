"""How every command speaks: its help, one sentence on stderr for what went wrong, and text in any locale."""

from __future__ import annotations

import argparse
import codecs
import io
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from dicomcore.files import make_folder

__all__ = [
    "Formatter",
    "add_command",
    "add_expect_dicom",
    "counted",
    "is_folder",
    "made_to_fit",
    "not_dicom",
    "printable",
    "reason_of",
    "told",
    "word",
]

FORCED = "; --force reads it as a bare data set"
# What messages advise to callers of functions, and what that is to users of a command; nothing where it has no option.
HINTS: dict[re.Pattern[str], dict[str, str]] = {
    re.compile(r"; force=True reads it as a bare data set"): dict.fromkeys(("dump", "frames", "transcode"), FORCED),
    re.compile(r"; invent=True makes values up"): {"dicomdir": "; --invent makes values up"},
    re.compile(r", or give enforce_standard=False"): {},
    re.compile(r"; overwrite=True replaces it"): {},
    re.compile(r", and overwrite=False"): {},
    re.compile(r"; partial=True joins those that are there"): {},
}
ESCAPE = "dicomcore.escape"
ESCAPE_ALL = "dicomcore.escape_all"


# -- help


class Formatter(argparse.HelpFormatter):
    """Paragraphs are laid out anew, lines that begin with a blank stay."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = [part for part in text.split("\n\n") if part.strip()]
        return "\n\n".join(part if part[0] == " " else super(Formatter, self)._fill_text(part, width, indent)
                           for part in parts)  # fmt: skip


def add_command(
    subparsers: Any, name: str, *, help: str, examples: Sequence[str], codes: str, description: str = ""
) -> argparse.ArgumentParser:
    """A subcommand's parser, whose help ends with examples of use and what the exit codes mean."""
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
    """The option `--expect-dicom` of commands that pass over files that are not DICOM."""
    parser.add_argument(
        "--expect-dicom", action="store_true", help="exit with 1 also where files are not DICOM, such as a README"
    )


def word(text: str) -> str:
    """A name given to a command. An empty one, as a rule an unset variable, must not stand for the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("is empty")
    return text


# -- what went wrong


def told(command: str, subject: str, reason: Exception | str, code: int) -> int:
    """Say on stderr what is the matter with `subject`, or with the file that an error names; the exit code."""
    if isinstance(reason, OSError) and isinstance(reason.filename, (str, bytes)):
        subject = os.fsdecode(reason.filename) or subject
    said = reason if isinstance(reason, str) else reason_of(reason, subject)
    for hint, options in HINTS.items():
        said = hint.sub(options.get(command, ""), said)
    about = f"{printable(subject)}: " if subject else ""
    print(f"dicomcore {command}: {about}" + "\n".join(map(printable, said.splitlines())), file=sys.stderr)
    return code


def reason_of(error: Exception, subject: str = "") -> str:
    """What an exception says to someone who has read `subject`, and knows commands rather than functions."""
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
    else:
        reason = str(error) or type(error).__name__
        for name in (subject, os.path.abspath(subject)) if subject else ():
            reason = reason.removeprefix(f"{name!r} ").removeprefix(f"{name} ").removeprefix(f"{name}: ")
            reason = reason.removeprefix(f"{name}, ")  # which a frame follows
    return reason.replace("dicomcore.archive.index()", "`dicomcore index`").replace("give kind,", "give --kind,")


def printable(text: str) -> str:
    """Text on one line: control characters as escapes, and so bytes of names that are no text, as an index has them."""
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
    """Whether output goes into a folder: one that is there, or one with a separator at its end, which is made.

    Raises OSError where it can't be made.
    """
    if path.endswith((os.sep, os.altsep or os.sep)):
        make_folder(path)
    return os.path.isdir(path)


# -- encodings


def made_to_fit(arguments: argparse.Namespace | None = None) -> None:
    """Have standard output take every character, whatever the locale.

    JSON, XML and CSV are for programs, and are UTF-8. Other text is in the locale's encoding, with escapes for what
    that hasn't; names of files that are no text come out as the bytes that they are.
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
    return json.dumps(one)[1:-1].encode("ascii")
