"""Build data sets from plain dicts and lists, and apply changed dicts to an existing data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dicomcore.dataset import Dataset, Sequence

__all__ = ["Plain", "build", "lay_over"]

Plain = dict[str, Any]
"""Values by keyword; a list of these dicts is a sequence."""


def build(plain: Mapping[str, Any]) -> Dataset:
    """Make a data set from values by keyword; a list of dicts becomes a sequence.

    This is recursive: the dicts come from code, not from files, so that the depth of nesting is known.
    """
    data_set = Dataset()
    for keyword, value in plain.items():
        setattr(data_set, keyword, _built(value))
    return data_set


def _built(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(item, Mapping | Dataset) for item in value):
        return Sequence(item if isinstance(item, Dataset) else build(item) for item in value)
    if isinstance(value, list | tuple):
        return value[0] if len(value) == 1 else list(value)
    return value


def lay_over(data_set: Dataset, before: Mapping[str, Any], now: Mapping[str, Any]) -> Dataset:
    """Return a copy of `data_set` in which the values of `now` replace those of `before`.

    Elements that neither names stay as they are. This is true of the items of a changed sequence, too, except of code
    sequences: their items are replaced.
    """
    changed = data_set.copy()
    for keyword in before:
        if keyword not in now and keyword in changed:
            del changed[keyword]
    for keyword, value in now.items():
        old = before.get(keyword)
        if keyword in before and value == old:
            continue
        if isinstance(old, list) and _are_items(value) and _are_items(old) and not keyword.endswith("CodeSequence"):
            items = zip(changed.get(keyword) or [], old, value, strict=False)
            kept = [lay_over(item, old_item, new_item) for item, old_item, new_item in items]
            setattr(changed, keyword, Sequence([*kept, *map(build, value[len(kept) :])]))
        else:
            setattr(changed, keyword, _built(value))
    return changed


def _are_items(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
