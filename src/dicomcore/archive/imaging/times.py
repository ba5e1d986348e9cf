"""Several images at each place of a volume: grouping them into times, and the order of the times."""

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


MOST_DIMENSIONS = 8
DAY = 86400.0
NIGHT, DATED_NIGHT = DAY / 2, 0.75 * DAY
"""Times of day further apart than this, in seconds, lie on both sides of midnight; more is asked where a date is
stated, which may be that of the first image for all of them."""


class Times(NamedTuple):
    """The images of a volume by time and place."""

    grid: list[list[Slice | None]]
    """For each time the slice at each place, or None."""
    told_by: str
    """The attributes that distinguish the times."""
    issues: list[Issue]


class Clock(NamedTuple):
    """An attribute that orders images; `read` returns its value for a slice, None if it is missing."""

    name: str
    read: Callable[[Slice], Hashable]
    date: str = ""
    """The date beside a time of day, which starts anew at midnight; empty for other attributes."""
    moments: tuple[str, ...] = ()
    """The dates with times that are used instead, where they are stated."""


def _plain(*keywords: str) -> Callable[[Slice], Hashable]:
    return lambda slice_: comparable(slice_.get(*keywords))


def _time_of_day(what: str, *moments: str) -> Clock:
    """The clock of a date and a time, or of the first of `moments`."""

    def read(slice_: Slice) -> float | None:
        return _moment(slice_, moments, f"{what}Date", f"{what}Time")

    return Clock(f"{what} Date and Time", read, f"{what}Date", moments)


def _direction(slice_: Slice) -> Hashable:
    """The direction of the diffusion gradient; the empty tuple for an unweighted image."""
    direction, sequence = slice_.get("DiffusionGradientOrientation"), slice_.get("DiffusionGradientDirectionSequence")
    if direction is None and isinstance(sequence, list) and sequence:
        direction = sequence[0].get("DiffusionGradientOrientation")
    return comparable(direction or ())


def _dimension(number: int) -> Callable[[Slice], Hashable]:
    """A reader of one of the Dimension Index Values (PS3.3 C.7.6.17)."""

    def read(slice_: Slice) -> Hashable:
        values = slice_.stated("FrameContentSequence", "DimensionIndexValues") if slice_.is_enhanced else None
        values = values if isinstance(values, list) else [values]
        return comparable(values[number]) if number < len(values) else None

    return read


ACQUISITION = _time_of_day("Acquisition", "FrameAcquisitionDateTime", "AcquisitionDateTime")
STATED = (  # attributes that number the times explicitly
    Clock("Temporal Position", _plain("TemporalPositionIndex", "TemporalPositionIdentifier")),
    Clock("R-R Interval Vector", _plain("RRIntervalVector")),
    Clock("Time Slot Vector", _plain("TimeSlotVector")),
)
CLOCKS = (
    *STATED,
    Clock("Trigger Time", _plain("NominalCardiacTriggerDelayTime", "TriggerTime")),
    Clock("Temporal Position Time Offset", _plain("TemporalPositionTimeOffset")),
    Clock("Frame Reference Time", _plain("FrameReferenceTime")),
    ACQUISITION,
    _time_of_day("Content", "FrameReferenceDateTime"),
    Clock("Acquisition Number", _plain("AcquisitionNumber")),
    Clock("Instance Number", _plain("InstanceNumber")),
    Clock("Diffusion b-value", _plain("DiffusionBValue")),
    Clock("Diffusion Gradient Orientation", _direction),
    *(Clock(f"Dimension Index Value {number + 1}", _dimension(number)) for number in range(MOST_DIMENSIONS)),
    Clock("number of the frame", lambda slice_: slice_.frame),
)


def times_of(places: list[list[Slice]]) -> Times:
    """Sort the images at each place into times, by their attributes and never by the order of files.

    An attribute with the same values at all places (Temporal Position, b-value) determines which images belong
    together; any other attribute (the Acquisition Time of each slice) determines the order of images at a place. If
    only some places have several images, and no attribute numbers the times, these are duplicates, and the earliest is
    taken.

    Raises DicomError if no attribute distinguishes two images at one place.
    """
    crowded = [place for place in places if len(place) > 1]
    if not crowded:
        return Times([[place[0] for place in places]], "", [])
    slices = [slice_ for place in places for slice_ in place]
    values = {clock: by_slice for clock in CLOCKS if (by_slice := _values(clock, slices)) is not None}
    ranks = {id(slice_): tuple(by_slice[id(slice_)] for by_slice in values.values()) for slice_ in slices}
    night = _past_midnight(values, slices)
    stated = any(clock in values and _splits(values[clock], crowded) for clock in STATED)
    if not stated and 2 * len(crowded) <= len(places):
        more = counted(len(slices) - len(places), "slice")
        text = f"left out where another lies at the same place: {more}; the earliest was taken"
        first = [min(place, key=lambda slice_: (ranks[id(slice_)], slice_.image.instance)) for place in places]
        return Times([list(first)], "", [*night, issue("DUPLICATE_POSITION", text)])
    shared, identities = _identities(values, slices, crowded)
    told_by = shared or [next((clock.name for clock, by_slice in values.items() if _splits(by_slice, crowded)), "")]
    grid = _grid(places, identities, ranks, ", ".join(told_by))
    return grid._replace(issues=[*night, *grid.issues])


def _values(clock: Clock, slices: list[Slice]) -> dict[int, Hashable] | None:
    """A clock's value for each slice, by its id(); None unless all slices have values that are comparable numbers."""
    values: list[Hashable] = []
    for slice_ in slices:
        value = clock.read(slice_)
        if not all(isinstance(component, (int, float)) and isfinite(component) for component in _components(value)):
            return None
        values.append(value)
    if len({isinstance(value, tuple) for value in values}) != 1:
        return None
    return dict(zip(map(id, slices), _over_midnight(clock, slices, values), strict=True))


def _over_midnight(clock: Clock, slices: list[Slice], values: list[Any]) -> list[Any]:
    """The values of a clock; those of a time of day after midnight a day later, if no date tells the days apart."""
    if not clock.date or not values or any(slice_.get(*clock.moments) for slice_ in slices):
        return values
    gap, evening = max(((b - a, b) for a, b in pairwise(sorted(values))), default=(0.0, 0.0))
    dated = any(slice_.get(clock.date) for slice_ in slices)
    if gap <= (DATED_NIGHT if dated else NIGHT) or max(values) // DAY != min(values) // DAY:
        return values
    return [value + DAY if value < evening else value for value in values]


def _past_midnight(values: dict[Clock, dict[int, Hashable]], slices: list[Slice]) -> list[Issue]:
    """An issue if times of day were put on the next day, and the first slice of which that is true."""
    for clock, by_slice in values.items():
        late = next((slice_ for slice_ in slices if clock.date and by_slice[id(slice_)] != clock.read(slice_)), None)
        if late is not None:
            text = (
                f"{clock.name} go past midnight and no date tells so: those of the morning are the next day's: {late}"
            )
            return [issue("PAST_MIDNIGHT", text, clock.date)]
    return []


def _components(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _splits(values: dict[int, Any], crowded: list[list[Slice]]) -> bool:
    return any(len({values[id(slice_)] for slice_ in place}) > 1 for place in crowded)


def _identities(
    values: dict[Clock, dict[int, Hashable]], slices: list[Slice], crowded: list[list[Slice]]
) -> tuple[list[str], dict[int, tuple[Hashable, ...]]]:
    """The names of the attributes that images of one time share at all places, and their values for each slice."""
    most = max(map(len, crowded))
    names: list[str] = []
    identities: dict[int, tuple[Hashable, ...]] = {id(slice_): () for slice_ in slices}
    for clock, by_slice in values.items():
        if all(len({identities[id(slice_)] for slice_ in place}) == len(place) for place in crowded):
            break
        finer = {key: (*identity, by_slice[key]) for key, identity in identities.items()}
        more = any(
            len({finer[id(slice_)] for slice_ in p}) > len({identities[id(slice_)] for slice_ in p}) for p in crowded
        )
        if more and (clock in STATED or len(set(finer.values())) <= most):
            names, identities = [*names, clock.name], finer
    return names, identities


def _grid(
    places: list[list[Slice]],
    identities: dict[int, tuple[Hashable, ...]],
    ranks: dict[int, tuple[Any, ...]],
    told_by: str,
) -> Times:
    cells: dict[Hashable, dict[int, Slice]] = {}  # for each time, the slices by number of the place
    counts: dict[Hashable, set[int]] = {}  # for each identity, the numbers of images that places have
    for number, place in enumerate(places):
        ordered = sorted(place, key=lambda slice_: ranks[id(slice_)])
        for a, b in pairwise(ordered):
            if ranks[id(a)] == ranks[id(b)]:
                raise DicomError(f"{a} and {b} lie at one place, and nothing tells which comes first")
        turn: Counter[Hashable] = Counter()
        for slice_ in ordered:
            identity = identities[id(slice_)]
            cells.setdefault((identity, turn[identity]), {})[number] = slice_
            turn[identity] += 1
        for key, count in turn.items():
            counts.setdefault(key, set()).add(count)
    order = sorted(cells.values(), key=lambda cell: min(ranks[id(slice_)] for slice_ in cell.values()))
    issues = []
    if any(len(several) > 1 for several in counts.values()):
        numbers = sorted({len(place) for place in places})
        text = f"from {numbers[0]} to {numbers[-1]} images lie at a place, and nothing tells which times are missing"
        issues.append(issue("UNEVEN_TIMES", text))
    return Times([[cell.get(number) for number in range(len(places))] for cell in order], told_by, issues)


def seconds_of(grid: list[list[Slice | None]]) -> tuple[float, ...]:
    """The start of each time in seconds after the first; empty if no attribute tells it."""
    whole = next((column for column in zip(*grid, strict=True) if None not in column), None)
    if whole is None or len(whole) < 2:
        return (0.0,) if len(grid) == 1 else ()
    slices = [slice_ for slice_ in whole if slice_ is not None]
    for clock, unit in SECONDS:
        starts: list[Any] = [clock.read(slice_) for slice_ in slices]
        if None in starts:
            continue
        starts = _over_midnight(clock, slices, starts)
        if all(isinstance(start, float) for start in starts) and all(a < b for a, b in pairwise(starts)):
            return tuple(round((start - starts[0]) * unit, 6) for start in starts)
    return ()


def _in_loop(slice_: Slice) -> float | None:
    """The start of a frame in a cine loop, in ms (PS3.3 C.7.6.5)."""
    each, increments = slice_.get("FrameTime"), slice_.get("FrameTimeVector")
    if isinstance(increments, list) and slice_.frame < len(increments):
        return float(sum(increments[1 : slice_.frame + 1]))
    return float(each) * slice_.frame if isinstance(each, (int, float)) else None


SECONDS = (
    (Clock("Temporal Position Time Offset", _plain("TemporalPositionTimeOffset")), 1.0),
    (Clock("Trigger Time", _plain("NominalCardiacTriggerDelayTime", "TriggerTime")), 1e-3),
    (Clock("Frame Reference Time", _plain("FrameReferenceTime")), 1e-3),
    (ACQUISITION, 1.0),
    (Clock("Frame Time", _in_loop), 1e-3),
)
"""The attributes that tell the start of a time, and their units in seconds."""


def _moment(slice_: Slice, moments: tuple[str, ...], day: str, hour: str) -> float | None:
    """Seconds of a date and time, stated by one attribute or by two; None if no valid time is stated."""
    try:
        if text := slice_.get(*moments):
            when = parse_datetime(str(text))
        else:
            clock = parse_time(str(slice_.get(hour)))
            date = slice_.get(day)
            when = datetime.combine(parse_date(str(date)) if date else datetime.min.date(), clock)
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
