"""Forwarding: instances that go to another node later, and again if it does not take them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from dicomcore.catalogue import Again, Catalogue, Entry, GiveUp, Job, Runner
from dicomcore.net import send
from dicomcore.part10.reader import dcmread

if TYPE_CHECKING:
    from dicomcore.audit import Hook
    from dicomcore.net.auditing import Transfer

__all__ = ["Forwarding"]

KIND = "forward"
NEVER = frozenset({0x0122, 0x0124, 0xA900})  # statuses that another attempt does not change
MOST = 1000  # instances of one job


class Forwarding:
    """Sends instances by the jobs of a catalogue. A context manager, which goes on with what an earlier process left.

    Parameters
    ----------
    catalogue : Catalogue
        Where the instances and the jobs are.
    peers : mapping of str to str
        Where AE titles are: ``host:port`` or ``AET@host:port``.
    workers : int
        Destinations that are sent to at once.
    audit : callable, optional
        Called with the events of PS3.15 A.5 of what is sent; an `audit.Trail` writes them.
    options
        Of `net.associate`, such as `tls` and `timeouts`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        peers: Mapping[str, str],
        *,
        workers: int = 2,
        audit: Hook | None = None,
        **options: Any,
    ) -> None:
        self._catalogue, self._peers, self._options, self._audit = catalogue, dict(peers), options, audit
        self.runner = Runner(catalogue.jobs, {KIND: self._run}, workers=workers)

    def __enter__(self) -> Self:
        self.runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.stop()

    def later(self, destination: str, entries: Iterable[Entry], calling: str = "") -> list[int]:
        """Send instances to an AE title as soon as it takes them; the numbers of the jobs."""
        uids = [entry.sop_instance for entry in entries]
        return [
            self._catalogue.jobs.add(
                KIND, {"to": destination, "calling": calling, "instances": uids[begin : begin + MOST]}
            )
            for begin in range(0, len(uids), MOST)
        ]

    def _run(self, job: Job) -> dict[str, Any]:
        title, place = job.payload["to"], self._peers.get(job.payload["to"])
        if place is None:
            raise GiveUp(f"{title} is no known peer")
        found = [entry for uid in job.payload["instances"] for entry in self._catalogue.instances(instance=uid)]
        if not found:
            return {"stored": 0, "failed": []}
        options = dict(self._options)
        if job.payload["calling"]:
            options["calling"] = job.payload["calling"]
        outcomes: dict[str, Any] = {}
        sources, address = [self._source(entry) for entry in found], place if "@" in place else f"{title}@{place}"
        transfer = None if self._audit is None else _transfer(self._audit, options, sources, address)
        send(
            sources,
            address,
            workers=1,
            retries=0,
            transcode="lossless",
            each=lambda outcome: outcomes.__setitem__(outcome.sop_instance, outcome),
            **options,
        )
        done = {uid for uid, one in outcomes.items() if one.status.category in ("success", "warning")}
        if transfer is not None:
            transfer.over(done)
        refused = {uid: one.error for uid, one in outcomes.items() if int(one.status) in NEVER}
        again = [entry.sop_instance for entry in found if entry.sop_instance not in done | set(refused)]
        before = job.payload.get("refused", {})
        if again:
            why = next((one.error for uid, one in outcomes.items() if uid in again), "the association was lost")
            raise Again(why, {**job.payload, "instances": again, "refused": {**before, **refused}})
        if before or refused:
            raise GiveUp(f"{title} refused {len(before) + len(refused)}: {next(iter({**before, **refused}.values()))}")
        return {"stored": len(done)}

    def _source(self, entry: Entry) -> Any:
        source = self._catalogue.source(entry)
        return source if isinstance(source, str) else dcmread(source)


def _transfer(hook: Hook, options: Mapping[str, Any], sources: list[Any], address: str) -> Transfer:
    """What tells a hook of what is sent."""
    from dicomcore import audit
    from dicomcore.net.auditing import Transfer, party_at

    title = options.get("calling", "")
    return Transfer(
        hook, audit.this_process(*([title] if title else []), is_requestor=True), party_at(address), sources
    )
