"""Tuples with named fields that are made without `typing`."""

from __future__ import annotations

import pickle
import typing

import dicomcore as dc
from dicomcore.records import NamedTuple


class Ours(NamedTuple):
    """A place."""

    name: str
    row: int = 3

    @property
    def next_row(self) -> int:
        return self.row + 1


class Theirs(typing.NamedTuple):
    """A place."""

    name: str
    row: int = 3

    @property
    def next_row(self) -> int:
        return self.row + 1


def test_they_are_those_of_typing():
    for attribute in ("_fields", "_field_defaults", "__match_args__", "__doc__", "__module__", "__mro__"):
        ours, theirs = getattr(Ours, attribute), getattr(Theirs, attribute)
        assert ours[1:] == theirs[1:] if attribute == "__mro__" else ours == theirs
    assert Ours("a") == ("a", 3)
    assert Ours("a", row=5).next_row == 6
    assert repr(Ours("a")) == "Ours(name='a', row=3)"
    assert Ours("a")._replace(row=4) == Ours("a", 4)


def test_they_can_be_pickled():
    issue = dc.Issue("ODD_LENGTH", dc.Tag(0x00100010), 132, "has the odd length 3")
    again = pickle.loads(pickle.dumps([issue, Ours("a")]))
    assert again == [issue, Ours("a")]
    assert [type(one) for one in again] == [dc.Issue, Ours]
