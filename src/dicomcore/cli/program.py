"""The program around the subcommands: arguments in, an exit code out."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import argparse

__all__ = ["main"]

# Modules with add_parser(subparsers), whose parser sets `run`, and `interrupted`: what to say after a break.
COMMANDS = (
    *("index", "query", "report", "organize", "dump", "build", "frames", "sheet", "documents", "dicomdir"),
    "transcode",
)
WRONG_USE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141  # the last two as a shell has them for SIGINT and SIGPIPE
EPILOG = """exit codes: 0 all went well, 1 some files could not be read or written (each is named on stderr), 2 wrong
use, 130 interrupted, 141 whatever reads the output has gone; `dicomcore COMMAND --help` says more of each."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `dicomcore` with these arguments (the process's own by default); the exit code of the subcommand.

    0 says that all went well, 1 that some files could not be read, 2 that the use was wrong, 130 that it was
    interrupted.
    """
    interrupted = ""
    try:
        arguments = _parsed(argv)
        interrupted = getattr(arguments, "interrupted", "")
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print(f"\ndicomcore: interrupted{interrupted and ': '}{interrupted}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `dicomcore dump … | head`: the rest is not wanted
        _drop_output()
        return BROKEN_PIPE
    except ModuleNotFoundError as error:
        print(f"dicomcore: {error}", file=sys.stderr)
        return WRONG_USE
    except OSError as error:  # all that commands leave is what standard output raises
        _drop_output()
        print(f"dicomcore: {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        return WRONG_USE


def parser() -> argparse.ArgumentParser:
    """The parser of all commands, which are imported here, where `main` catches an interrupt already."""
    import argparse
    from importlib import import_module

    from dicomcore.cli.console import Formatter
    from dicomcore.version import __version__

    top = argparse.ArgumentParser(
        "dicomcore",
        description="Read DICOM files: index whole archives, look into one, see its pictures.",
        epilog=EPILOG,
        formatter_class=Formatter,
    )
    top.add_argument("--version", action="version", version=f"dicomcore {__version__}")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        import_module(f"dicomcore.cli.{command}").add_parser(subparsers)
    return top


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    from dicomcore.cli.console import made_to_fit

    commands = parser()
    if argv is None:  # the process is the command's own
        made_to_fit()
        signal.signal(signal.SIGTERM, _leave)
    arguments = commands.parse_args(argv)
    if argv is None:
        made_to_fit(arguments)
    return arguments


def _leave(number: int, frame: Any) -> NoReturn:
    """Asked to end, by a scheduler as a rule: what is half written is taken away on the way out."""
    sys.exit(128 + number)


def _drop_output() -> None:
    """What is still held for standard output goes nowhere, so that leaving doesn't try once more."""
    with suppress(OSError), open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
