"""Stamps: what tells an input and its state, without saying which it is."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from dicomcore.deid.plan import Plan

__all__ = ["Stamps"]

SALT = b"dicomcore journal"


class Stamps:
    """Keyed hashes of the inputs' paths, sizes and times of change.

    They depend on the plan, so that another plan begins anew, and on its key, so that no path can be tried.
    """

    def __init__(self, plan: Plan, layout: str) -> None:
        secret = b"" if plan.key is None else plan.key.digest(SALT)
        details = sorted(plan.pseudonyms.items()), sorted((name, _plain(value)) for name, value in plan.pixels.items())
        state = json.dumps([plan.summary, details, layout], sort_keys=True, default=str).encode()
        self._key = hashlib.blake2b(state, key=secret, digest_size=32).digest()

    @property
    def plan(self) -> str:
        """What tells the plan."""
        return self._key.hex()[:16]

    def of(self, place: str, facts: os.stat_result | None = None) -> str:
        """The stamp of an input, whose state may be known; empty where it cannot be asked for."""
        if type(place) is str:
            try:
                facts = facts or os.stat(place)
            except OSError:
                return ""
            text = repr((os.path.abspath(place), (facts.st_size, facts.st_mtime_ns)))
        else:  # a Place, which states what it is
            text = repr((str(place), [getattr(place, name, None) for name in ("size", "mtime", "etag")]))
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), key=self._key, digest_size=16).hexdigest()


def _plain(value: Any) -> str:
    """A value as text that is the same in the next process; only the kind of what has no such text."""
    return repr(value) if isinstance(value, (str, int, float, bool, tuple, list)) else type(value).__name__
