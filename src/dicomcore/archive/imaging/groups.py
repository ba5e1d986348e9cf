"""What belongs in one volume: one series, one frame of reference, one orientation, one kind of image."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from typing import Any, NamedTuple

import numpy as np

from dicomcore.archive.imaging.slices import COSINE_SLACK, Slice, counted, issue
from dicomcore.archive.imaging.stack import by_place
from dicomcore.errors import DicomError
from dicomcore.issues import Issue

__all__ = ["comparable", "mixed_kinds", "one_group", "one_kind", "without_copies"]

MOST_GROUPS = 64  # that are told apart
JITTER = 0.01  # of an echo time or a voltage, which says nothing of its own


class Difference(NamedTuple):
    """What may keep a slice out of another's volume: a code, the attribute, and how to tell."""

    code: str
    keyword: str
    name: str
    differ: Callable[[Slice, Slice], bool]


def _turned(a: Slice, b: Slice) -> bool:
    cosines = np.concatenate([a.along_row - b.along_row, a.along_column - b.along_column])
    return bool(np.abs(cosines).max() > COSINE_SLACK)


DIFFERENCES = (
    Difference("MIXED_ORIENTATION", "ImageOrientationPatient", "Image Orientation (Patient)", _turned),
    Difference("MIXED_SHAPE", "Rows", "Rows or Columns", lambda a, b: a.image.shape != b.image.shape),
    Difference(
        "MIXED_SPACING", "PixelSpacing", "Pixel Spacing", lambda a, b: not np.allclose(a.spacing, b.spacing, rtol=1e-3)
    ),
    Difference(
        "MIXED_FRAME_OF_REFERENCE",
        "FrameOfReferenceUID",
        "Frame of Reference UID",
        lambda a, b: a.image.space != b.image.space,
    ),
    Difference(
        "MIXED_SERIES", "SeriesInstanceUID", "Series Instance UID", lambda a, b: a.image.series != b.image.series
    ),
    Difference(
        "MIXED_SAMPLES",
        "PhotometricInterpretation",
        "Photometric Interpretation",
        lambda a, b: a.image.samples != b.image.samples,
    ),
)
KINDS = (  # code, name and attributes of what is no other time, but another image of the same place
    ("MIXED_SEGMENT", "Referenced Segment Number", ("ReferencedSegmentNumber",)),
    ("MIXED_IMAGE_TYPE", "Image Type", ("FrameType", "ImageType")),
    ("MIXED_COMPONENT", "Complex Image Component", ("ComplexImageComponent",)),
    ("MIXED_STACK", "Stack ID", ("StackID",)),
    ("MIXED_ENERGY", "KVP", ("KVP",)),
    ("MIXED_ENERGY", "Energy Window Vector", ("EnergyWindowVector",)),
    ("MIXED_ECHO", "Echo Time", ("EffectiveEchoTime", "EchoTime")),
    ("MIXED_ECHO", "Echo Numbers", ("EchoNumbers",)),
    ("MIXED_INVERSION", "Inversion Time", ("InversionTimes", "InversionTime")),
    ("MIXED_FLIP_ANGLE", "Flip Angle", ("FlipAngle",)),
)


def without_copies(slices: list[Slice]) -> tuple[list[Slice], list[Issue]]:
    """The slices without those that come again: the same frame of the same SOP instance, with the same pixel data."""
    seen: dict[Hashable, Slice] = {}
    kept: list[Slice] = []
    copies: list[Slice] = []
    for one in slices:
        key = (one.image.instance, one.frame, tuple(one.position.tolist()))
        before = seen.setdefault(key, one) if one.image.instance else one
        (copies if before is not one and _is_copy(before, one) else kept).append(one)
    if not copies:
        return kept, []
    text = f"left out as copies, of SOP instances that came before: {counted(len(copies), 'slice')}, {copies[0]}"
    return kept, [issue("DUPLICATE_INSTANCE", text, "SOPInstanceUID")]


def _is_copy(a: Slice, b: Slice) -> bool:
    if a.data_set is b.data_set:
        return True
    ours, theirs = a.data_set, b.data_set
    try:
        if ours.transfer_syntax == theirs.transfer_syntax:
            return bool(ours.frames.encoded(a.frame) == theirs.frames.encoded(b.frame))
        return np.array_equal(ours.frames[a.frame], theirs.frames[b.frame])
    except (DicomError, IndexError):  # said when it is decoded
        return False


def one_group(slices: list[Slice]) -> tuple[list[Slice], list[Issue]]:
    """The most slices that fit together, and why others were left out."""
    groups: list[list[Slice]] = []
    others: list[Slice] = []
    for one in slices:
        group = next((group for group in groups if _difference(group[0], one) is None), None)
        if group is not None:
            group.append(one)
        elif len(groups) < MOST_GROUPS:
            groups.append([one])
        else:
            others.append(one)
    largest = min(groups, key=_preference)
    reasons: dict[Difference, list[Slice]] = {}
    for one in (*others, *(one for group in groups if group is not largest for one in group)):
        reason = _difference(largest[0], one)
        assert reason is not None
        reasons.setdefault(reason, []).append(one)
    issues = []
    for (code, keyword, name, _), out in reasons.items():
        text = _left_out(len(out), len(slices), name, out[0])
        if code == "MIXED_SERIES":
            text += f"; select={{{keyword!r}: {out[0].image.series[1]!r}}} takes it"
        issues.append(issue(code, text, keyword))
    return largest, issues


def _difference(a: Slice, b: Slice) -> Difference | None:
    return next((one for one in DIFFERENCES if one.differ(a, b)), None)


def _preference(group: list[Slice]) -> tuple[Any, ...]:
    """The largest group; of equal ones what doesn't depend on the order of files."""
    number = group[0].get("SeriesNumber")
    number = number if isinstance(number, int) else 0
    return -len(group), number, group[0].image.series, min(tuple(one.position.tolist()) for one in group)


def _left_out(count: int, total: int, name: str, first: Slice) -> str:
    return f"{count} of {total} slices were left out, as {name} differs: {first}"


def one_kind(slices: list[Slice]) -> tuple[list[Slice], list[Issue]]:
    """The slices of one kind, where some that lie at one place differ in it: by Image Type, echo, energy and such.

    Segments are never joined, wherever they lie.
    """
    issues = []
    segmented = "SegmentSequence" in slices[0].places[-1]
    crowded = _crowded(slices)
    for code, name, keywords in KINDS:
        alike = [slices] if segmented and code == "MIXED_SEGMENT" else crowded
        if not alike:
            break
        if all(len({comparable(one.get(*keywords)) for one in place}) == 1 for place in alike):
            continue
        kinds: dict[Hashable, list[Slice]] = {}
        for one in slices:
            kinds.setdefault(comparable(one.get(*keywords)), []).append(one)
        chosen = min(kinds, key=lambda kind: (-len(kinds[kind]), _rank(kind)))
        left = [one for kind, several in kinds.items() if kind != chosen for one in several]
        values = ", ".join(_shown(kind) for kind in sorted(kinds, key=_rank))
        keyword = next(one for one in keywords if any(each.get(one) is not None for each in slices))
        way = f"select={{{keyword!r}: …}} takes another"
        text = f"{_left_out(len(left), len(slices), name, left[0])}; there are {values}; {way}"
        issues.append(issue(code, text, keyword))
        slices = kinds[chosen]
        crowded = _crowded(slices)
    return slices, issues


def _crowded(slices: list[Slice]) -> list[list[Slice]]:
    """The places where several slices lie."""
    return [place for place in by_place(slices) if len(place) > 1]


def mixed_kinds(slices: list[Slice]) -> list[Issue]:
    """That slices at different places differ in what makes their values no longer comparable."""
    issues = []
    for code, name, keyword, read in MIXABLE:
        kinds: dict[Hashable, list[Slice]] = {}
        for one in slices:
            kinds.setdefault(read(one), []).append(one)
        if len(kinds) > 1 and not _is_jitter(kinds):
            counts = (f"{counted(len(kinds[kind]), 'slice')} with {_shown(kind)}" for kind in sorted(kinds, key=_rank))
            text = f"slices at different places differ in {name}: {', '.join(counts)}; select takes one kind"
            issues.append(issue(code, text, keyword))
    return issues


def _is_jitter(values: Collection[Hashable]) -> bool:
    """Whether these are numbers that differ by rounding, or by what a scanner measures of itself."""
    numbers = [one for one in values if isinstance(one, float)]
    return len(numbers) == len(values) and max(numbers) - min(numbers) <= JITTER * max(map(abs, numbers))


def _number_in(sequence: str, inside: str, outside: str) -> Callable[[Slice], Hashable]:
    """A number of the functional groups, or of the data set."""

    def read(one: Slice) -> Hashable:
        return comparable(one.stated(sequence, inside) if one.is_enhanced else one.places[-1].get(outside))

    return read


def _third_value(one: Slice) -> Hashable:
    """Value 3 of Image Type: AXIAL or LOCALIZER of CT (PS3.3 C.8.2.1.1.1), magnitude, phase and such of MR."""
    if one.is_enhanced:
        return comparable(one.stated("MRImageFrameTypeSequence", "ComplexImageComponent"))
    kinds = one.places[-1].get("ImageType")
    return comparable(kinds[2]) if isinstance(kinds, list) and len(kinds) > 2 else None


MIXABLE: tuple[tuple[str, str, str, Callable[[Slice], Hashable]], ...] = (
    ("MIXED_IMAGE_TYPE", "Image Type", "ImageType", _third_value),
    ("MIXED_ENERGY", "KVP", "KVP", _number_in("CTXRayDetailsSequence", "KVP", "KVP")),
    ("MIXED_ECHO", "Echo Time", "EchoTime", _number_in("MREchoSequence", "EffectiveEchoTime", "EchoTime")),
)


def comparable(value: Any) -> Hashable:
    """A value as one that can be compared and be a key: texts, numbers, tuples of them, or None."""
    if isinstance(value, (list, tuple)):
        return tuple(comparable(one) for one in value)
    if isinstance(value, (int, float)):
        return float(value)
    return None if value is None or value == "" else str(value).strip()


def _rank(kind: Hashable) -> tuple[Any, ...]:
    """What comes first of kinds of equally many slices: originals, low numbers, what is known."""
    values = kind if isinstance(kind, tuple) else (kind,)
    return (
        kind is None,
        "ORIGINAL" not in values,
        [(isinstance(one, str), one if isinstance(one, float) else 0.0, str(one)) for one in values],
    )


def _shown(kind: Hashable) -> str:
    values = kind if isinstance(kind, tuple) else (kind,)
    return "\\".join(f"{one:g}" if isinstance(one, float) else "none" if one is None else str(one) for one in values)
