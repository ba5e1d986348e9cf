"""How commands decode: the option `--isolate`, which all that decode have, and `--strict` of those that write files."""

from __future__ import annotations

import argparse

__all__ = ["add_isolate", "add_strict"]


def add_isolate(parser: argparse.ArgumentParser) -> None:
    """Add it; ``Limits(isolate=arguments.isolate)`` is what it means."""
    parser.add_argument(
        "--isolate", action="store_true", help="decode in processes of their own, which damaged frames may bring down"
    )


def add_strict(parser: argparse.ArgumentParser) -> None:
    """Add it; ``Limits(strict=arguments.strict)`` is what it means."""
    parser.add_argument(
        "--strict", action="store_true", help="refuse what deviates from the standard, instead of making the best of it"
    )
