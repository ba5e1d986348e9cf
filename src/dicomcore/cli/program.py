"""The program: parse the arguments, run a subcommand, and return its exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from types import SimpleNamespace
    from typing import Any, NoReturn

__all__ = ["main"]

# Modules with add_parser(subparsers), whose parser sets `run`, and `interrupted`, a message for an interruption.
COMMANDS = (
    *("index", "query", "report", "organize", "dump", "build", "frames", "render", "sheet", "documents", "dicomdir"),
    *("transcode", "check", "sr", "deid"),
    *("echo", "store", "find", "worklist", "get", "move", "commit", "mpps", "ups", "print"),
    *("serve", "jobs", "web", "trace"),
)
WRONG_USE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141  # the last two are those of a shell for SIGINT and SIGPIPE
EPILOG = """exit codes: 0 all went well, 1 some files could not be read or written (each is named on stderr), 2 wrong
use, 130 interrupted, 141 the reader of the output is gone; `dicomcore COMMAND --help` explains each command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `dicomcore` with these arguments, by default those of the process; return the exit code of the subcommand.

    0 means that all went well, 1 that some files could not be read, 2 wrong use, 130 an interruption.
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
    except OSError as error:  # commands catch all others: this one comes from standard output
        _drop_output()
        print(f"dicomcore: {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        return WRONG_USE


def parser(commands: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of these commands. They are imported here, so that `main` catches an interrupt meanwhile."""
    import argparse
    from importlib import import_module

    from dicomcore.cli.formatter import Formatter
    from dicomcore.version import __version__

    top = argparse.ArgumentParser(
        "dicomcore",
        description="DICOM files: index archives, look into one, check, convert, de-identify, send and receive.",
        epilog=EPILOG,
        formatter_class=Formatter,
    )
    top.add_argument("--version", action="version", version=f"dicomcore {__version__}")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands:
        import_module(f"dicomcore.cli.{command}").add_parser(subparsers)
    return top


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace | SimpleNamespace:
    from dicomcore.cli.console import configure_stdout

    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["dump"] and len(words) > 1 and all(word and word[0] != "-" for word in words):
        from dicomcore.cli.dump import plain_arguments

        if argv is None:
            configure_stdout()
            gc.freeze()  # what was loaded lives to the end, and the exit need not search it
        return plain_arguments(words[1:])
    import signal

    given = next((word for word in words if not word.startswith("-")), "")
    is_one = given in COMMANDS and given != "documents"  # whose commands have other names
    commands = parser((given,) if is_one else COMMANDS)  # importing all takes longer than most files
    if argv is None:  # the process runs this command only
        configure_stdout()
        signal.signal(signal.SIGTERM, _leave)
    arguments = commands.parse_args(argv)
    if argv is None:
        configure_stdout(arguments)
        gc.freeze()
    return arguments


def _leave(number: int, frame: Any) -> NoReturn:
    """Exit on SIGTERM, usually from a scheduler, through SystemExit, so that half-written files are removed."""
    sys.exit(128 + number)


def _drop_output() -> None:
    """Redirect standard output to the null device, so that the exit doesn't try to flush its buffer again."""
    from contextlib import suppress

    with suppress(OSError), open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
