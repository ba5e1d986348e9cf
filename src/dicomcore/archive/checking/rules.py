"""What one run over many files looks for."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dicomcore._native.bulk.checker import Checker
from dicomcore.dataset import Dataset
from dicomcore.iod import Report, check, describe
from dicomcore.iod.checking import MOST, asked, chosen_rules, row_of
from dicomcore.iod.codes import GROUPS, NAMES
from dicomcore.iod.definitions import EDITION
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.version import __version__

__all__ = ["Rules"]


class Rules:
    """The options of `iod.check`, checked once. Raises ValueError and KeyError as that does."""

    def __init__(
        self,
        rules: Iterable[str] = GROUPS,
        *,
        iod: str | None = None,
        at_least: str = "warning",
        limits: Limits | None = None,
    ) -> None:
        if isinstance(rules, str):
            raise TypeError("rules is a list of groups and codes, not one text")
        self._rules = tuple(rules)
        self._at_least = at_least
        self.limits = DEFAULT_LIMITS if limits is None else limits
        self._chosen = chosen_rules(self._rules, at_least)
        described = None if iod is None else describe(iod)
        self._sop_class = None if described is None else str(described.sop_class)
        self.iod = "" if described is None else described.name
        """The name of the IOD that all files are checked by; empty if each is checked by its own."""

    @property
    def key(self) -> bytes:
        """What findings of an unchanged file depend on: these rules, and the version that runs them."""
        parts = [__version__, EDITION, self._sop_class, sorted(self._chosen), repr(self.limits)]
        return json.dumps(parts).encode()

    def checker(self, paths: list[str]) -> Checker:
        """The native loop over a batch of files."""
        return Checker(
            # A file whose deviations raise an error is for `check`.
            [None] * len(paths) if self.limits.strict else paths,
            sop_class=row_of(self._sop_class),
            codes=self._chosen,
            issues=NAMES["ISSUE"].number in self._chosen,
            most=MOST,
            depth=self.limits.depth,
            elements=self.limits.elements,
            **asked(self._chosen),
        )

    def check(self, ds: Dataset) -> Report:
        """What is found in one data set."""
        return check(ds, iod=self._sop_class, rules=self._rules, at_least=self._at_least, limits=self.limits)
