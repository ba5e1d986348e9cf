"""Counters of what was served, in Prometheus' text format."""

from __future__ import annotations

from collections import Counter

__all__ = ["Metrics"]

BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "WEBSOCKET"})


class Metrics:
    """Counts requests by what they were for; used in the event loop alone."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._slots = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self.sent = self.received = self.stored = 0
        """Bytes of bodies out and in, and instances that were stored."""
        self.working = self.transfers = 0
        """Requests that are worked on, and all that are open."""

    def count(self, method: str, kind: str, status: int, seconds: float) -> None:
        """A request has been answered."""
        self._requests[method if method in METHODS else "other", kind, status] += 1
        self._seconds += seconds
        place = next((at for at, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
        self._slots[place] += 1

    def text(self, instances: int) -> str:
        """All counters."""
        lines = ["# TYPE dicomcore_web_requests_total counter"]
        lines += [
            f'dicomcore_web_requests_total{{method="{method}",resource="{kind}",status="{status}"}} {count}'
            for (method, kind, status), count in sorted(self._requests.items())
        ]
        lines.append("# TYPE dicomcore_web_request_seconds histogram")
        total = 0
        for bound, count in zip((*BUCKETS, "+Inf"), self._slots, strict=True):
            total += count
            lines.append(f'dicomcore_web_request_seconds_bucket{{le="{bound}"}} {total}')
        lines += [f"dicomcore_web_request_seconds_sum {self._seconds:.6f}",
                  f"dicomcore_web_request_seconds_count {total}"]  # fmt: skip
        for name, kind, value in (
            ("sent_bytes_total", "counter", self.sent),
            ("received_bytes_total", "counter", self.received),
            ("stored_instances_total", "counter", self.stored),
            ("requests_working", "gauge", self.working),
            ("requests_open", "gauge", self.transfers),
            ("instances", "gauge", instances),
        ):
            lines += [f"# TYPE dicomcore_web_{name} {kind}", f"dicomcore_web_{name} {value}"]
        return "\n".join(lines) + "\n"
