"""Journal: what a folder holds already and from which input, without saying which: for runs that go on."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from dicomcore.archive.sources.place import Place

if TYPE_CHECKING:
    from dicomcore.deid.plan import Plan
    from dicomcore.deid.running import Done

__all__ = ["NAME", "Journal"]

NAME = ".dicomcore-deid"
FLUSH = 256  # lines that are written together
SALT = b"dicomcore journal"


class Journal:
    """A file of keyed hashes of the inputs' paths, sizes and times of change, each with its output.

    The hashes depend on the plan, so that another plan begins anew, and on its key, so that no path can be tried.
    """

    def __init__(self, top: str, plan: Plan, *, enabled: bool) -> None:
        self._top, self._enabled = top, enabled
        self._path = os.path.join(top, NAME)
        secret = b"" if plan.key is None else plan.key.digest(SALT)
        state = json.dumps(plan.summary, sort_keys=True, default=str).encode()
        self._key = hashlib.blake2b(state, key=secret, digest_size=32).digest()
        self._known: dict[str, str] = {}
        self._others: set[str] = set()  # outputs of other plans
        self._new: list[str] = []
        self._file: Any = None

    def __enter__(self) -> Self:
        if not self._enabled:
            return self
        with suppress(FileNotFoundError):
            self._read()
        self._file = open(self._path, "a", encoding="utf-8")
        if self._file.tell():
            self._file.write("\n")  # behind a line that a killed run left incomplete
        return self

    def _read(self) -> None:
        mine = self._key.hex()[:16]
        with open(self._path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                with suppress(ValueError, KeyError, TypeError):
                    entry = json.loads(line)
                    if entry["plan"] == mine:
                        self._known[entry["input"]] = entry["output"]
                        self._others.discard(entry["output"])
                    else:
                        self._others.add(entry["output"])

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._flush()
            self._file.close()

    def _digest(self, place: str) -> str | None:
        if isinstance(place, Place):
            facts: Any = (place.size, place.mtime, place.etag)
        else:
            try:
                stat = os.stat(place)
            except OSError:
                return None
            facts = (stat.st_size, stat.st_mtime_ns)
        text = repr((os.path.abspath(place) if not isinstance(place, Place) else str(place), facts))
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), key=self._key, digest_size=16).hexdigest()

    def find(self, place: str) -> str | None:
        """The output of an input that has not changed since, if it is there."""
        if not self._known:
            return None
        output = self._known.get(self._digest(place) or "")
        return output if output is not None and os.path.exists(os.path.join(self._top, output)) else None

    def is_older(self, output: str) -> bool:
        """Whether an output was written with another plan, so that it may be replaced."""
        return output in self._others

    def add(self, done: Done) -> None:
        """Remember what was written."""
        if self._file is None or done.result != "written":
            return
        digest = self._digest(done.source)
        if digest is not None:
            entry = {"plan": self._key.hex()[:16], "input": digest, "output": done.output}
            self._new.append(json.dumps(entry))
            self._others.discard(done.output)
            if len(self._new) >= FLUSH:
                self._flush()

    def _flush(self) -> None:
        self._file.write("".join(f"{line}\n" for line in self._new))
        self._file.flush()
        self._new.clear()
