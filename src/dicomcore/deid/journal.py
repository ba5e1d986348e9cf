"""Journal: what a folder holds already and from which input, without saying which: for runs that go on."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any, Self

from dicomcore.deid.stamps import Stamps
from dicomcore.deid.working import Done, Result

__all__ = ["NAME", "Journal"]

NAME = ".dicomcore-deid"
FLUSH = 256  # lines that are written together


class Journal:
    """A file of stamps, each with its output."""

    def __init__(self, top: str, stamps: Stamps, *, enabled: bool) -> None:
        self._top, self._enabled = top, enabled
        self._path = os.path.join(top, NAME)
        self._stamps = stamps
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
        mine = self._stamps.plan
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

    def known(self, numbered: tuple[int, str]) -> Result | None:
        """The result of an input that is there already; None for one that is still to be done."""
        number, place = numbered
        output = self.find(place)
        return None if output is None else Result(Done(number, "there", output, "", None, str(place)))

    def find(self, place: str) -> str | None:
        """The output of an input that has not changed since, if it is there."""
        if not self._known:
            return None
        output = self._known.get(self._stamps.of(place))
        return output if output is not None and os.path.exists(os.path.join(self._top, output)) else None

    def is_older(self, output: str) -> bool:
        """Whether an output was written with another plan, so that it may be replaced."""
        return output in self._others

    def add(self, stamp: str, output: str) -> None:
        """Remember what was written for an input."""
        self._others.discard(output)
        if self._file is None or not stamp:
            return
        self._new.append(json.dumps({"plan": self._stamps.plan, "input": stamp, "output": output}))
        if len(self._new) >= FLUSH:
            self._flush()

    def _flush(self) -> None:
        self._file.write("".join(f"{line}\n" for line in self._new))
        self._file.flush()
        self._new.clear()
