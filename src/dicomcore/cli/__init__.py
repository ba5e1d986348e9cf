"""The command line: `dicomcore index`, `dump`, `build`, `frames`, `sheet`; one file a subcommand."""

from dicomcore.cli.program import main

__all__ = ["main"]
