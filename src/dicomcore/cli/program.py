"""The program around the subcommands: arguments in, an exit code out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import dicomcore
from dicomcore.cli import build, dicomdir, documents, dump, frames, index, organize, query, report, sheet, transcode

__all__ = ["main"]

# Modules with add_parser(subparsers), whose parser sets `run`.
COMMANDS = (index, query, report, organize, dump, build, frames, sheet, documents, dicomdir, transcode)
WRONG_USE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141  # the last two as a shell has them for SIGINT and SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run `dicomcore` with these arguments (the process's own by default); the exit code of the subcommand.

    0 says that all went well, 1 that some files could not be read, 2 that the use was wrong.
    """
    parser = argparse.ArgumentParser(
        "dicomcore", description="Read DICOM files: index whole archives, look into one, see its pictures."
    )
    parser.add_argument("--version", action="version", version=f"dicomcore {dicomcore.__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    arguments = parser.parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("dicomcore: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `dicomcore dump … | head`: the rest is not wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except ModuleNotFoundError as error:
        print(f"dicomcore: {error}", file=sys.stderr)
        return WRONG_USE
