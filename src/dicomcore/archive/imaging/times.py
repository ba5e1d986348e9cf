"""Several images at each place of a volume: which belong together, and their order in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite
from typing import Any, NamedTuple

from dicomcore.archive.imaging.groups import comparable
from dicomcore.archive.imaging.slices import Slice, counted, issue
from dicomcore.errors import DicomError
from dicomcore.issues import Issue
from dicomcore.values import parse_date, parse_datetime, parse_time

__all__ = ["Times", "seconds_of", "times_of"]


class Times(NamedTuple):
    """The images of a volume by time and place."""

    grid: list[list[Slice | None]]
    """For each time the slice at each place, None where there is none."""
    told_by: str
    """The attributes that tell the times apart."""
    issues: list[Issue]


class Clock(NamedTuple):
    """An attribute that orders images; `read` gives its value, None where it is missing."""

    name: str
    read: Callable[[Slice], Hashable]


def _plain(*keywords: str) -> Callable[[Slice], Hashable]:
    return lambda one: comparable(one.get(*keywords))


def _acquired(one: Slice) -> float | None:
    return _moment(one, ("FrameAcquisitionDateTime", "AcquisitionDateTime"), "AcquisitionDate", "AcquisitionTime")


def _made(one: Slice) -> float | None:
    return _moment(one, ("FrameReferenceDateTime",), "ContentDate", "ContentTime")


def _direction(one: Slice) -> Hashable:
    """Of an unweighted image, which has none, the empty tuple."""
    found, sequence = one.get("DiffusionGradientOrientation"), one.get("DiffusionGradientDirectionSequence")
    if found is None and isinstance(sequence, list) and sequence:
        found = sequence[0].get("DiffusionGradientOrientation")
    return comparable(found or ())


STATED = (  # which times there are, in so many words
    Clock("Temporal Position", _plain("TemporalPositionIndex", "TemporalPositionIdentifier")),
    Clock("R-R Interval Vector", _plain("RRIntervalVector")),
    Clock("Time Slot Vector", _plain("TimeSlotVector")),
)
CLOCKS = (
    *STATED,
    Clock("Trigger Time", _plain("NominalCardiacTriggerDelayTime", "TriggerTime")),
    Clock("Temporal Position Time Offset", _plain("TemporalPositionTimeOffset")),
    Clock("Frame Reference Time", _plain("FrameReferenceTime")),
    Clock("Acquisition Date and Time", _acquired),
    Clock("Content Date and Time", _made),
    Clock("Acquisition Number", _plain("AcquisitionNumber")),
    Clock("Instance Number", _plain("InstanceNumber")),
    Clock("Diffusion b-value", _plain("DiffusionBValue")),
    Clock("Diffusion Gradient Orientation", _direction),
    Clock("number of the frame", lambda one: one.frame),
)


def times_of(places: list[list[Slice]]) -> Times:
    """Sort the images at each place into times, by what they say of them and never by the order of files.

    An attribute whose values are the same at all places (Temporal Position, b-value) says which images belong together;
    another one (Acquisition Time of each slice) says their order at a place. Where only some places have several
    images, and nothing speaks of times, these are duplicates, of which the first is taken.

    Raises DicomError where nothing tells images at one place apart.
    """
    crowded = [place for place in places if len(place) > 1]
    if not crowded:
        return Times([[place[0] for place in places]], "", [])
    slices = [one for place in places for one in place]
    values = {clock: found for clock in CLOCKS if (found := _values(clock, slices)) is not None}
    ranks = {id(one): tuple(found[id(one)] for found in values.values()) for one in slices}
    stated = any(clock in values and _splits(values[clock], crowded) for clock in STATED)
    if not stated and 2 * len(crowded) <= len(places):
        more = counted(len(slices) - len(places), "slice")
        text = f"left out where another lies at the same place: {more}; the earliest was taken"
        first = [min(place, key=lambda one: (ranks[id(one)], one.image.instance)) for place in places]
        return Times([list(first)], "", [issue("DUPLICATE_POSITION", text)])
    shared, identities = _identities(values, slices, crowded)
    told_by = shared or [next((clock.name for clock, found in values.items() if _splits(found, crowded)), "")]
    return _grid(places, identities, ranks, ", ".join(told_by))


def _values(clock: Clock, slices: list[Slice]) -> dict[int, Hashable] | None:
    """A clock's value of each slice; None unless it has one of all, numbers that can be compared."""
    found: dict[int, Hashable] = {}
    for one in slices:
        value = clock.read(one)
        if not all(isinstance(each, (int, float)) and isfinite(each) for each in _each(value)):
            return None
        found[id(one)] = value
    return found if len({isinstance(value, tuple) for value in found.values()}) == 1 else None


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _splits(values: dict[int, Any], crowded: list[list[Slice]]) -> bool:
    return any(len({values[id(one)] for one in place}) > 1 for place in crowded)


def _identities(
    values: dict[Clock, dict[int, Hashable]], slices: list[Slice], crowded: list[list[Slice]]
) -> tuple[list[str], dict[int, tuple[Hashable, ...]]]:
    """For each slice, what images of one time have in common at all places, and the names of that."""
    most = max(map(len, crowded))
    names: list[str] = []
    identities: dict[int, tuple[Hashable, ...]] = {id(one): () for one in slices}
    for clock, found in values.items():
        if all(len({identities[id(one)] for one in place}) == len(place) for place in crowded):
            break
        finer = {key: (*identity, found[key]) for key, identity in identities.items()}
        more = any(len({finer[id(one)] for one in p}) > len({identities[id(one)] for one in p}) for p in crowded)
        if more and (clock in STATED or len(set(finer.values())) <= most):
            names, identities = [*names, clock.name], finer
    return names, identities


def _grid(
    places: list[list[Slice]],
    identities: dict[int, tuple[Hashable, ...]],
    ranks: dict[int, tuple[Any, ...]],
    told_by: str,
) -> Times:
    cells: dict[Hashable, dict[int, Slice]] = {}  # of a time: by number of the place
    counts: dict[Hashable, set[int]] = {}  # of an identity: how many images places have
    for number, place in enumerate(places):
        ordered = sorted(place, key=lambda one: ranks[id(one)])
        for a, b in pairwise(ordered):
            if ranks[id(a)] == ranks[id(b)]:
                raise DicomError(f"{a} and {b} lie at one place, and nothing tells which comes first")
        turn: Counter[Hashable] = Counter()
        for one in ordered:
            identity = identities[id(one)]
            cells.setdefault((identity, turn[identity]), {})[number] = one
            turn[identity] += 1
        for key, count in turn.items():
            counts.setdefault(key, set()).add(count)
    order = sorted(cells.values(), key=lambda cell: min(ranks[id(one)] for one in cell.values()))
    issues = []
    if any(len(several) > 1 for several in counts.values()):
        numbers = sorted({len(place) for place in places})
        text = f"from {numbers[0]} to {numbers[-1]} images lie at a place, and nothing tells which times are missing"
        issues.append(issue("UNEVEN_TIMES", text))
    return Times([[cell.get(number) for number in range(len(places))] for cell in order], told_by, issues)


def seconds_of(grid: list[list[Slice | None]]) -> tuple[float, ...]:
    """When each time begins, in seconds after the first; empty where nothing tells."""
    whole = next((column for column in zip(*grid, strict=True) if None not in column), None)
    if whole is None or len(whole) < 2:
        return (0.0,) if len(grid) == 1 else ()
    for read, unit in SECONDS:
        found = [read(one) for one in whole if one is not None]
        if all(isinstance(one, float) for one in found) and all(a < b for a, b in pairwise(found)):
            return tuple(round((one - found[0]) * unit, 6) for one in found)
    return ()


def _in_loop(one: Slice) -> float | None:
    """When the frame of a loop begins, in ms (PS3.3 C.7.6.5)."""
    each, increments = one.get("FrameTime"), one.get("FrameTimeVector")
    if isinstance(increments, list) and one.frame < len(increments):
        return float(sum(increments[1 : one.frame + 1]))
    return float(each) * one.frame if isinstance(each, (int, float)) else None


SECONDS: tuple[tuple[Callable[[Slice], Any], float], ...] = (
    (_plain("TemporalPositionTimeOffset"), 1.0),
    (_plain("NominalCardiacTriggerDelayTime", "TriggerTime"), 1e-3),
    (_plain("FrameReferenceTime"), 1e-3),
    (_acquired, 1.0),
    (_in_loop, 1e-3),
)
"""What tells when a time begins, and the unit in seconds."""


def _moment(one: Slice, moments: tuple[str, ...], day: str, hour: str) -> float | None:
    """Seconds of a date and time, as one attribute or as two; None where there is no time that can be read."""
    try:
        if text := one.get(*moments):
            when = parse_datetime(str(text))
        else:
            clock = parse_time(str(one.get(hour)))
            date = one.get(day)
            when = datetime.combine(parse_date(str(date)) if date else datetime.min.date(), clock)
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
