"""The line on a terminal that says how far a run over many files is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

__all__ = ["Counts", "progress_line"]


class Counts(Protocol):
    """What a run has come to; its `add` takes each finished batch."""

    files: int
    unreadable: int

    @property
    def seconds(self) -> float: ...
    def add(self, batch: Any) -> None: ...


@contextmanager
def progress_line(counts: Counts, quiet: bool) -> Iterator[Any]:
    """The function to call with each batch; it shows progress on a terminal if rich is installed."""
    if quiet or not (sys.stderr.isatty() or os.environ.get("FORCE_COLOR")):  # importing rich takes 40 ms
        yield counts.add
        return
    try:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    except ModuleNotFoundError:
        yield counts.add
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield counts.add
        return
    text = TextColumn("{task.completed:,} files  {task.fields[rate]:,} files/s  {task.fields[unreadable]:,} unreadable")
    with Progress(SpinnerColumn(), text, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=None, rate=0, unreadable=0)

        def add(batch: Any) -> None:
            counts.add(batch)
            rate = round(counts.files / max(counts.seconds, 1e-9))
            bar.update(task, completed=counts.files, rate=rate, unreadable=counts.unreadable)

        yield add
