"""What one application holds: its catalogue, its options, the threads that work for it, and what it keeps ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dicomcore.dataset import Dataset
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.web.caches import Bounded
from dicomcore.web.limits import DEFAULT_WEB_LIMITS, WebLimits
from dicomcore.web.metrics import Metrics

if TYPE_CHECKING:
    from dicomcore.catalogue import Catalogue, LiveCatalogue
    from dicomcore.web.auditing import WebAuditor

__all__ = ["Node"]

Made = TypeVar("Made")
END = object()


class Node:
    """The state of an application; its handlers are functions of it and of a request."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        store: bool,
        duplicates: str,
        delete: bool,
        base_url: str,
        limits: WebLimits = DEFAULT_WEB_LIMITS,
        reading: Limits = DEFAULT_LIMITS,
        workitems: Any = None,
        viewer: str = "",
        proxied: bool = False,
        hosts: frozenset[str] = frozenset(),
        audit: WebAuditor | None = None,
        deidentify: Callable[[Dataset], Dataset] | None = None,
    ) -> None:
        self.catalogue, self.store, self.duplicates, self.delete = catalogue, store, duplicates, delete
        self.base_url, self.limits, self.reading = base_url.rstrip("/"), limits, reading
        self.workitems, self.viewer, self.proxied = workitems, viewer, proxied
        self.hosts, self.audit, self.deidentify = hosts, audit, deidentify
        self.metrics = Metrics()
        self.metadata: Bounded[Any] = Bounded(limits.metadata_bytes)
        self.places: Bounded[Any] = Bounded(limits.open_instances)
        self._pool = ThreadPoolExecutor(limits.workers, "dicomcore-web")

    @property
    def live(self) -> LiveCatalogue:
        """The catalogue as one that is written to, where `store` or `delete` allow that."""
        return cast("LiveCatalogue", self.catalogue)

    async def work(self, function: Callable[..., Made], *arguments: Any) -> Made:
        """Call a function in one of the threads."""
        return await self.begin(function, *arguments)

    def begin(self, function: Callable[..., Made], *arguments: Any) -> asyncio.Future[Made]:
        """Begin to call a function in one of the threads."""
        return asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    async def next_of(self, pieces: Iterator[Any]) -> Any:
        """The next of an iterator that a thread runs; `END` behind the last."""
        return await self.work(next, pieces, END)

    def close(self) -> None:
        """End the threads, and close what is open."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.places.clear()
        self.metadata.clear()
        if self.audit is not None:
            self.audit.close()
