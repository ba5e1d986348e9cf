"""Thresholds of advanced blending: which values of an input are shown (PS3.3 C.11.33.1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of, number_of, term_of
from dicomcore.errors import ParseError
from dicomcore.tags import Tag

__all__ = ["Threshold", "passing", "thresholds_of"]

COUNTS = {  # Threshold Type: its number of values
    "RANGE_INCL": 2,
    "RANGE_EXCL": 2,
    "GREATER_OR_EQUAL": 1,
    "LESS_OR_EQUAL": 1,
    "GREATER_THAN": 1,
    "LESS_THAN": 1,
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold: a type and its values."""

    kind: str
    values: tuple[float, ...]

    def passes(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Mark the values that are shown."""
        low, high = min(self.values), max(self.values)
        marks: dict[str, Any] = {
            "RANGE_INCL": lambda: (values >= low) & (values <= high),
            "RANGE_EXCL": lambda: (values < low) | (values > high),
            "GREATER_OR_EQUAL": lambda: values >= low,
            "LESS_OR_EQUAL": lambda: values <= low,
            "GREATER_THAN": lambda: values > low,
            "LESS_THAN": lambda: values < low,
        }
        result: NDArray[np.bool_] = marks[self.kind]()
        return result


def thresholds_of(item: Dataset) -> tuple[Threshold, ...]:
    """Read an input's Threshold Sequence; raises ParseError if a threshold is none."""
    return tuple(map(_threshold, items_of(item, "ThresholdSequence")))


def passing(values: NDArray[Any], thresholds: tuple[Threshold, ...]) -> NDArray[np.bool_]:
    """Mark the values that any of the thresholds shows."""
    result = np.zeros(values.shape, np.bool_)
    for threshold in thresholds:
        result |= threshold.passes(values)
    return result


def _threshold(item: Dataset) -> Threshold:
    kind = term_of(item, "ThresholdType")
    values = tuple(number_of(one, "ThresholdValue") for one in items_of(item, "ThresholdValueSequence"))
    if len(values) != COUNTS.get(kind, -1) or None in values:
        raise ParseError(
            f"Threshold Type (0070,1B13) is {kind!r} with the values {values}", tag=int(Tag("ThresholdType"))
        )
    return Threshold(kind, values)
