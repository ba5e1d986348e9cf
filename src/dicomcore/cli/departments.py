"""The departments' half of `dicomcore serve`: commitment, procedure steps, workitems, notifications, printing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from dicomcore.net import Server
    from dicomcore.services import Departments

__all__ = ["DEPARTMENT_OPTIONS", "add_department_arguments", "departments_over"]

DEPARTMENT_OPTIONS = ("sheets", "notify")
LEDGER = "ledger.sqlite"  # beside the catalogue


def add_department_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the departments' half."""
    group = parser.add_argument_group("workflow and printing")
    group.add_argument("--sheets", metavar="DIR", help="be a printer: printed sheets become PNG files in this folder")
    group.add_argument("--notify", action="append", metavar="AET", help="a peer that is told of performed steps")


@contextmanager
def departments_over(options: dict[str, Any], server: Server, store: Any) -> Iterator[Departments | None]:
    """Add the services to a server, and send their reports while the block runs. There are none over a table."""
    if store.is_read_only:
        yield None
        return
    from dicomcore import services

    with services.Ledger(Path(store.folder) / LEDGER) as ledger:
        departments = services.add_all(
            server, store, ledger, options["peers"], notify=options.get("notify") or (),
            printer=options.get("sheets"),
        )  # fmt: skip
        with departments:
            yield departments
