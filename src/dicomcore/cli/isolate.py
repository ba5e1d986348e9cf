"""The option `--isolate`, which all commands that decode have."""

from __future__ import annotations

import argparse

__all__ = ["add_isolate"]


def add_isolate(parser: argparse.ArgumentParser) -> None:
    """Add it; ``Limits(isolate=arguments.isolate)`` is what it means."""
    parser.add_argument(
        "--isolate", action="store_true", help="decode in processes of their own, which damaged frames may bring down"
    )
