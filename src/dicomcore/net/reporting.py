"""Events reported by an acceptor over the association that a request came on (PS3.7 10.1.1)."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dicomcore.dataset import Dataset
from dicomcore.errors import NetworkError
from dicomcore.net.commands import Kind
from dicomcore.net.operations import Response, Single
from dicomcore.net.requesting import event_values

if TYPE_CHECKING:
    from dicomcore.net.accepting import AcceptorSession

__all__ = ["Backchannel"]


class Backchannel:
    """The association that a request came on, for what the server has to report to its peer.

    For threads that are not the loop's: `n_event_report` waits for the response.
    """

    def __init__(self, connection: Any, session: AcceptorSession) -> None:
        self._connection, self._session = connection, session

    @property
    def is_open(self) -> bool:
        """Whether something can be reported."""
        return bool(self._session.is_open)

    @property
    def key(self) -> object:
        """The same for all requests of the association, and gone with it: what belongs to it hangs on this, weakly."""
        return self._session

    @property
    def abstract_syntaxes(self) -> frozenset[str]:
        """Those of its presentation contexts."""
        return frozenset(one.abstract_syntax for one in self._session.contexts.values())

    def n_event_report(
        self, sop_class: str, instance: str, event: int, ds: Dataset | None = None, *, over: str | None = None
    ) -> Response:
        """Report an event (N-EVENT-REPORT); NetworkError if the association ends before the response.

        `over` is the abstract syntax of the presentation context, if that is another than `sop_class`.
        """
        operation = _Awaited(sop_class, instance, event, ds, over)
        loop = self._connection.loop
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(self._start, operation)
        while not operation.ready.wait(1):
            if loop.is_closed():
                raise NetworkError("the server has ended", peer=self._session.peer)
        if operation.failure is not None:
            raise operation.failure
        response: Response = operation.results[0]
        return response

    def _start(self, operation: _Awaited) -> None:
        if not self._session.is_open:
            operation.fail(NetworkError("the association has ended", peer=self._session.peer))
            return
        self._session.start(operation)
        self._connection.flush()


class _Awaited(Single):
    """A request that another thread waits for."""

    def __init__(self, sop_class: str, instance: str, event: int, ds: Dataset | None, over: str | None) -> None:
        values = event_values(sop_class, instance, event)
        super().__init__(Kind.N_EVENT_REPORT, over or sop_class, values, ds, as_scp=True)
        self.ready = threading.Event()

    def answered(self, message: Any, token: Any) -> bool:
        """The response."""
        is_last = super().answered(message, token)
        self.ready.set()
        return is_last

    def fail(self, error: Exception) -> None:
        """There will be none."""
        super().fail(error)
        self.ready.set()
