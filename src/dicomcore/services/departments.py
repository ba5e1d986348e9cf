"""Departments: the services of workflow and of printing of a node, over one ledger, added to a server together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Self

from dicomcore.dataset import Dataset
from dicomcore.net import Server
from dicomcore.services.availability import Availability
from dicomcore.services.commitment import Commitment, Searched
from dicomcore.services.ledger import Ledger, opened
from dicomcore.services.print_sheet import Density
from dicomcore.services.printing import Printer, Sink
from dicomcore.services.procedure_step import PerformedProcedureSteps
from dicomcore.services.reporter import Peers, Reporter
from dicomcore.services.ups import Workitems
from dicomcore.services.ups_service import UnifiedProcedureSteps

__all__ = ["Departments", "add_all"]


class Departments:
    """What `add_all` made: `ledger`, `reporter`, `workitems`, `steps` and `notices`.

    A context manager, which sends reports while it is entered; it is to be left before the ledger is closed.
    """

    def __init__(self, ledger: Ledger, reporter: Reporter, *, notify: Iterable[str] = ()) -> None:
        self.ledger, self.reporter = ledger, reporter
        self.workitems = Workitems(ledger)
        self.steps = PerformedProcedureSteps(ledger, notify=notify)
        self.notices = Availability(ledger)

    def applied_to(self, items: Callable[[], Iterable[Dataset]]) -> Callable[[], Iterable[Dataset]]:
        """A worklist's items as the performed steps leave them (`PerformedProcedureSteps.applied_to`)."""
        return self.steps.applied_to(items)

    def __enter__(self) -> Self:
        self.workitems.announce("RESTARTED")
        self.reporter.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reporter.stop()


def add_all(
    server: Server,
    catalogue: Searched | None,
    ledger: Ledger | str | os.PathLike[str],
    peers: Peers,
    *,
    notify: Iterable[str] = (),
    printer: Sink | str | os.PathLike[str] | None = None,
    density: Density | None = None,
    same_association: bool = False,
    **options: Any,
) -> Departments:
    """Serve commitment, performed steps, workitems, availability, and printing.

    Parameters
    ----------
    server : Server
        The server.
    catalogue : Catalogue, optional
        Where committed instances are looked up; without it there is no commitment.
    ledger : Ledger or path
        The memory of the services, such as ``ledger.sqlite`` beside a catalogue.
    peers : mapping or callable
        Where AE titles are, for reports: ``host:port`` or ``AET@host:port`` by title.
    notify : iterable of str
        AE titles that are told of performed procedure steps.
    printer : path or callable, optional
        A folder for printed sheets, or what takes them; without it nothing is printed.
    density : Density, optional
        How printed film is seen.
    same_association : bool
        Send results of commitments over the association of the request, if it is still there.
    options
        Of `net.associate`, for reports, such as `tls`.

    Returns
    -------
    Departments
        To be entered while the server serves.
    """
    held = opened(ledger)
    limits, timeouts = server.offering.limits, server.offering.timeouts
    calling = min(server.offering.titles, default="DICOMCORE")
    reporter = Reporter(held, peers, calling=calling, timeouts=timeouts, limits=limits, **options)
    made = Departments(held, reporter, notify=notify)
    server.add(UnifiedProcedureSteps(made.workitems, reporter), made.steps, made.notices)
    if catalogue is not None:
        server.add(Commitment(catalogue, held, reporter, same=same_association))
    if printer is not None:
        server.add(Printer(printer, density=density))
    return made
