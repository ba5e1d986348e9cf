"""Data sets from plain dicts and lists, and such laid over a data set so that only what differs changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dicomcore.dataset import Dataset, Sequence

__all__ = ["Plain", "build", "lay_over"]

Plain = dict[str, Any]
"""Values by keyword; a list of such is a sequence."""


def build(plain: Mapping[str, Any]) -> Dataset:
    """Make a data set of values by keyword; a list of dicts is a sequence's items.

    Dicts come from code, not from files: how deep they are nested is known.
    """
    made = Dataset()
    for keyword, value in plain.items():
        setattr(made, keyword, _built(value))
    return made


def _built(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(one, Mapping | Dataset) for one in value):
        return Sequence(one if isinstance(one, Dataset) else build(one) for one in value)
    if isinstance(value, list | tuple):
        return value[0] if len(value) == 1 else list(value)
    return value


def lay_over(data_set: Dataset, before: Mapping[str, Any], now: Mapping[str, Any]) -> Dataset:
    """Give a copy of `data_set`, which holds `before`, that holds `now` in its place; all else stays as it was.

    A sequence that differs keeps, item by item, what of the old items neither knows; of codes nothing is kept.
    """
    made = data_set.copy()
    for keyword in before:
        if keyword not in now and keyword in made:
            del made[keyword]
    for keyword, value in now.items():
        old = before.get(keyword)
        if keyword in before and value == old:
            continue
        if isinstance(old, list) and _are_items(value) and _are_items(old) and not keyword.endswith("CodeSequence"):
            held = made.get(keyword) or []
            both = zip(held, old, value, strict=False)
            kept = [lay_over(item, one, other) for item, one, other in both]
            setattr(made, keyword, Sequence([*kept, *map(build, value[len(kept) :])]))
        else:
            setattr(made, keyword, _built(value))
    return made


def _are_items(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)
