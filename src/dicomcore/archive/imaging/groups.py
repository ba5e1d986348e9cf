"""The choice of slices for one volume: of one series, frame of reference, orientation and kind of image."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from typing import Any, NamedTuple

import numpy as np

from dicomcore.archive.imaging.slices import COSINE_SLACK, Slice, counted, issue
from dicomcore.archive.imaging.stack import by_place
from dicomcore.errors import DicomError
from dicomcore.issues import Issue

__all__ = ["comparable", "mixed_kinds", "one_group", "one_kind", "without_copies"]

MOST_GROUPS = 64  # groups of slices that are kept apart at most
JITTER = 0.01  # relative difference of echo times or voltages that is only rounding or measurement


class Difference(NamedTuple):
    """A reason why two slices don't fit in one volume: the issue's code, the attribute, and a test."""

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
KINDS = (  # code, name and attributes by which images of one place differ although they are not different times
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
    """The slices without copies: the same frame of the same SOP instance, with the same pixel data."""
    seen: dict[Hashable, Slice] = {}
    kept: list[Slice] = []
    copies: list[Slice] = []
    for slice_ in slices:
        key = (slice_.image.instance, slice_.frame, tuple(slice_.position.tolist()))
        before = seen.setdefault(key, slice_) if slice_.image.instance else slice_
        (copies if before is not slice_ and _is_copy(before, slice_) else kept).append(slice_)
    if not copies:
        return kept, []
    text = f"left out as copies of earlier SOP instances: {counted(len(copies), 'slice')}, the first is {copies[0]}"
    return kept, [issue("DUPLICATE_INSTANCE", text, "SOPInstanceUID")]


def _is_copy(a: Slice, b: Slice) -> bool:
    if a.data_set is b.data_set:
        return True
    try:
        if a.data_set.transfer_syntax == b.data_set.transfer_syntax:
            return bool(a.data_set.frames.encoded(a.frame) == b.data_set.frames.encoded(b.frame))
        return np.array_equal(a.data_set.frames[a.frame], b.data_set.frames[b.frame])
    except (DicomError, IndexError):  # reported when the frame is decoded
        return False


def one_group(slices: list[Slice]) -> tuple[list[Slice], list[Issue]]:
    """The largest group of slices that fit together, and issues that say why others were left out."""
    groups: list[list[Slice]] = []
    others: list[Slice] = []
    for slice_ in slices:
        group = next((group for group in groups if _difference(group[0], slice_) is None), None)
        if group is not None:
            group.append(slice_)
        elif len(groups) < MOST_GROUPS:
            groups.append([slice_])
        else:
            others.append(slice_)
    largest = min(groups, key=_preference)
    reasons: dict[Difference, list[Slice]] = {}
    for slice_ in (*others, *(slice_ for group in groups if group is not largest for slice_ in group)):
        reason = _difference(largest[0], slice_)
        assert reason is not None
        reasons.setdefault(reason, []).append(slice_)
    issues = []
    for (code, keyword, name, _), out in reasons.items():
        text = _left_out(len(out), len(slices), name, out[0])
        if code == "MIXED_SERIES":
            text += f"; select={{{keyword!r}: {out[0].image.series[1]!r}}} takes it"
        issues.append(issue(code, text, keyword))
    return largest, issues


def _difference(a: Slice, b: Slice) -> Difference | None:
    return next((difference for difference in DIFFERENCES if difference.differ(a, b)), None)


def _preference(group: list[Slice]) -> tuple[Any, ...]:
    """A sort key: larger groups come first; groups of equal size are sorted independently of the order of files."""
    number = group[0].get("SeriesNumber")
    number = number if isinstance(number, int) else 0
    return -len(group), number, group[0].image.series, min(tuple(slice_.position.tolist()) for slice_ in group)


def _left_out(count: int, total: int, name: str, first: Slice) -> str:
    return f"{count} of {total} slices were left out, as {name} differs: {first}"


def one_kind(slices: list[Slice]) -> tuple[list[Slice], list[Issue]]:
    """The slices of one kind, if slices at one place differ in kind: in Image Type, echo, energy and others of KINDS.

    Different segments are never joined, even if no place has two slices.
    """
    issues = []
    segmented = "SegmentSequence" in slices[0].places[-1]
    crowded = _crowded(slices)
    for code, name, keywords in KINDS:
        alike = [slices] if segmented and code == "MIXED_SEGMENT" else crowded
        if not alike:
            break
        if all(len({comparable(slice_.get(*keywords)) for slice_ in place}) == 1 for place in alike):
            continue
        kinds: dict[Hashable, list[Slice]] = {}
        for slice_ in slices:
            kinds.setdefault(comparable(slice_.get(*keywords)), []).append(slice_)
        chosen = min(kinds, key=lambda kind: (-len(kinds[kind]), _rank(kind)))
        left = [slice_ for kind, several in kinds.items() if kind != chosen for slice_ in several]
        values = ", ".join(_shown(kind) for kind in sorted(kinds, key=_rank))
        keyword = next(word for word in keywords if any(slice_.get(word) is not None for slice_ in slices))
        remedy = f"select={{{keyword!r}: …}} takes another"
        text = f"{_left_out(len(left), len(slices), name, left[0])}; there are {values}; {remedy}"
        issues.append(issue(code, text, keyword))
        slices = kinds[chosen]
        crowded = _crowded(slices)
    return slices, issues


def _crowded(slices: list[Slice]) -> list[list[Slice]]:
    """The places with more than one slice."""
    return [place for place in by_place(slices) if len(place) > 1]


def mixed_kinds(slices: list[Slice]) -> list[Issue]:
    """Issues for slices at different places that differ in an attribute without which values can't be compared."""
    issues = []
    for code, name, keyword, read in MIXABLE:
        kinds: dict[Hashable, list[Slice]] = {}
        for slice_ in slices:
            kinds.setdefault(read(slice_), []).append(slice_)
        if len(kinds) > 1 and not _is_jitter(kinds):
            counts = (f"{counted(len(kinds[kind]), 'slice')} with {_shown(kind)}" for kind in sorted(kinds, key=_rank))
            text = f"slices at different places differ in {name}: {', '.join(counts)}; select takes one kind"
            issues.append(issue(code, text, keyword))
    return issues


def _is_jitter(values: Collection[Hashable]) -> bool:
    """Whether these are numbers that differ only by rounding, or because the scanner measures its own settings."""
    numbers = [value for value in values if isinstance(value, float)]
    return len(numbers) == len(values) and max(numbers) - min(numbers) <= JITTER * max(map(abs, numbers))


def _number_in(sequence: str, inside: str, outside: str) -> Callable[[Slice], Hashable]:
    """A function that reads a number of a slice from the functional group `sequence`, or from the data set."""

    def read(slice_: Slice) -> Hashable:
        return comparable(slice_.stated(sequence, inside) if slice_.is_enhanced else slice_.places[-1].get(outside))

    return read


def _third_value(slice_: Slice) -> Hashable:
    """Value 3 of Image Type: AXIAL or LOCALIZER of CT (PS3.3 C.8.2.1.1.1); of MR magnitude, phase and so on."""
    if slice_.is_enhanced:
        return comparable(slice_.stated("MRImageFrameTypeSequence", "ComplexImageComponent"))
    kinds = slice_.places[-1].get("ImageType")
    return comparable(kinds[2]) if isinstance(kinds, list) and len(kinds) > 2 else None


MIXABLE: tuple[tuple[str, str, str, Callable[[Slice], Hashable]], ...] = (
    ("MIXED_IMAGE_TYPE", "Image Type", "ImageType", _third_value),
    ("MIXED_ENERGY", "KVP", "KVP", _number_in("CTXRayDetailsSequence", "KVP", "KVP")),
    ("MIXED_ECHO", "Echo Time", "EchoTime", _number_in("MREchoSequence", "EffectiveEchoTime", "EchoTime")),
)


def comparable(value: Any) -> Hashable:
    """The value in a form that can be compared and hashed: a text, a number, a tuple of these, or None."""
    if isinstance(value, (list, tuple)):
        return tuple(comparable(component) for component in value)
    if isinstance(value, (int, float)):
        return float(value)
    return None if value is None or value == "" else str(value).strip()


def _rank(kind: Hashable) -> tuple[Any, ...]:
    """A sort key for kinds with the same number of slices: originals, low numbers and known values come first."""
    values = kind if isinstance(kind, tuple) else (kind,)
    return (
        kind is None,
        "ORIGINAL" not in values,
        [(isinstance(value, str), value if isinstance(value, float) else 0.0, str(value)) for value in values],
    )


def _shown(kind: Hashable) -> str:
    values = kind if isinstance(kind, tuple) else (kind,)
    return "\\".join("none" if v is None else f"{v:g}" if isinstance(v, float) else str(v) for v in values)
