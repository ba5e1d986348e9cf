"""The command line, `dicomcore` or `python -m dicomcore`: one file a subcommand."""

from dicomcore.cli.program import main

__all__ = ["main"]
