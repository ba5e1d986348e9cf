"""The command line: `dicomcore index`, `dicomcore dump`; one file a subcommand."""

from dicomcore.cli.program import main

__all__ = ["main"]
