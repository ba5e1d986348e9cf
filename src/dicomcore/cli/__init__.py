"""The command line, `dicomcore` or `python -m dicomcore`: with one module for each subcommand."""

from dicomcore.cli.program import main

__all__ = ["main"]
