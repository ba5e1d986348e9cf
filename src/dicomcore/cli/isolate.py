"""Options for decoding: `--isolate` of all commands that decode, and `--strict` of those that write files."""

from __future__ import annotations

import argparse

__all__ = ["add_isolate", "add_strict"]


def add_isolate(parser: argparse.ArgumentParser) -> None:
    """Add the option `--isolate`, for ``Limits(isolate=arguments.isolate)``."""
    parser.add_argument(
        "--isolate",
        action="store_true",
        help="decode in worker processes, so that a crash costs only the damaged frame",
    )


def add_strict(parser: argparse.ArgumentParser) -> None:
    """Add the option `--strict`, for ``Limits(strict=arguments.strict)``."""
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse files that deviate from the standard, instead of reading them with issues",
    )
