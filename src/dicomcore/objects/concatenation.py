"""Concatenations: a multi-frame object that is stored as several instances (PS3.3 C.7.6.16.2.2.4)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, NamedTuple

from dicomcore.dataset import DataElement, Dataset, Sequence
from dicomcore.dataset.lookup import items_of
from dicomcore.errors import DicomError
from dicomcore.uids import UID

__all__ = ["Concatenation", "Joined", "JoinedFrames", "concatenation_of", "join"]

SHOWN = 20  # missing parts named in a message
MOST_PARTS = 0xFFFF  # In-concatenation Number and Total Number are US
# Attributes of a part that the joined object does not have.
OF_PARTS = (
    "ConcatenationUID",
    "InConcatenationNumber",
    "InConcatenationTotalNumber",
    "ConcatenationFrameOffsetNumber",
    "SOPInstanceUIDOfConcatenationSource",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelData",
)


class Concatenation(NamedTuple):
    """The attributes of an instance that describe its place in a concatenation; missing attributes are None."""

    uid: UID
    number: int | None
    """In-concatenation Number, 1 for the first part."""
    total: int | None
    """In-concatenation Total Number, the number of parts."""
    frame_offset: int | None
    """Concatenation Frame Offset Number, the number of frames in the parts before: 0 for the first part."""
    source_uid: UID | None
    """SOP Instance UID of the object that was divided."""


def concatenation_of(data_set: Dataset) -> Concatenation | None:
    """Return the concatenation that `data_set` is part of, or None."""
    uid = data_set.get("ConcatenationUID")
    if not isinstance(uid, UID) or not uid:
        return None
    source = data_set.get("SOPInstanceUIDOfConcatenationSource")
    return Concatenation(
        uid,
        _whole(data_set, "InConcatenationNumber"),
        _whole(data_set, "InConcatenationTotalNumber"),
        _whole(data_set, "ConcatenationFrameOffsetNumber"),
        source if isinstance(source, UID) and source else None,
    )


def join(data_sets: Iterable[Dataset], *, partial: bool = False) -> Joined:
    """Join the parts of a concatenation, given in any order; frames are decoded and copied only on access.

    Raises DicomError if the data sets are not parts of one concatenation, if a part is given twice, if its frame offset
    does not match the parts before it, and if parts are missing. With `partial` missing parts are allowed, and
    `Joined.missing` lists their numbers. Missing parts at the end are noticed only if a part states the total number.
    """
    parts = list(data_sets)
    described = [_part(data_set) for data_set in parts]
    if not parts:
        raise DicomError("no parts of a concatenation were given")
    if len({part.uid for part in described}) > 1:
        raise DicomError(f"parts of several concatenations: {', '.join(sorted({part.uid for part in described}))}")
    by_number: dict[int, tuple[Concatenation, Dataset]] = {}
    for part, data_set in zip(described, parts, strict=True):
        if part.number in by_number:
            raise DicomError(f"part {part.number} of concatenation {part.uid} was given twice")
        by_number[part.number or 0] = part, data_set
    totals = {part.total for part in described} - {None}
    total = max([*by_number, *(t for t in totals if t is not None)])
    if total > MOST_PARTS:
        raise DicomError(f"concatenation {described[0].uid} claims {total} parts; at most {MOST_PARTS} are possible")
    missing = tuple(number for number in range(1, total + 1) if number not in by_number)
    if missing and not partial:
        numbers = ", ".join(map(str, missing[:SHOWN])) + (", …" if len(missing) > SHOWN else "")
        raise DicomError(
            f"concatenation {described[0].uid} lacks part {numbers} of {total}; partial=True joins the parts given"
        )
    ordered = [by_number[number] for number in sorted(by_number)]
    _check_offsets(ordered, bool(missing))
    return Joined([data_set for _, data_set in ordered], ordered[0][0], missing)


class Joined:
    """The object that a concatenation was divided from, as `join` returns it.

    `parts` are its instances in order, `missing` the numbers of the parts that were not given.
    """

    def __init__(self, parts: list[Dataset], concatenation: Concatenation, missing: tuple[int, ...]) -> None:
        self.parts = tuple(parts)
        self.missing = missing
        self.uid = concatenation.uid
        self.data_set = _whole_data_set(parts, concatenation)
        self.frames = JoinedFrames(parts)

    def __repr__(self) -> str:
        return f"<Joined concatenation {self.uid}: {len(self.parts)} parts, {len(self.frames)} frames>"


class JoinedFrames:
    """The frames of all parts in order; each part decodes its own frames on access."""

    def __init__(self, parts: list[Dataset]) -> None:
        self._parts = parts
        self._ends = list(accumulate(map(_frames, parts)))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            return [self[i] for i in range(*key.indices(len(self)))]
        part, i = self._place(key)
        return part.frames[i]

    def decode(self, index: int, **options: Any) -> Any:
        """Decode one frame with the options of `Frames.decode`."""
        part, i = self._place(index)
        return part.frames.decode(i, **options)

    def encoded(self, index: int) -> memoryview:
        """Return the codestream of one frame."""
        part, i = self._place(index)
        return part.frames.encoded(i)

    def _place(self, index: int) -> tuple[Dataset, int]:
        # Return the part that has a frame, and the index of the frame in the part.
        index = index + len(self) if index < 0 else index
        if not 0 <= index < len(self):
            raise IndexError(f"no frame {index} among {len(self)}")
        part = bisect_right(self._ends, index)
        return self._parts[part], index - (self._ends[part - 1] if part else 0)


def _whole(data_set: Dataset, keyword: str) -> int | None:
    value = data_set.get(keyword)
    return value if isinstance(value, int) else None


def _frames(data_set: Dataset) -> int:
    return max(_whole(data_set, "NumberOfFrames") or 1, 1)


def _part(data_set: Dataset) -> Concatenation:
    concatenation = concatenation_of(data_set)
    name = data_set.filename or data_set.get("SOPInstanceUID", "a data set")
    if concatenation is None:
        raise DicomError(f"{name} is not part of a concatenation: it has no Concatenation UID (0020,9161)")
    if concatenation.number is None or concatenation.number < 1:
        raise DicomError(f"{name} has no In-concatenation Number (0020,9162)")
    return concatenation


def _check_offsets(ordered: list[tuple[Concatenation, Dataset]], gaps: bool) -> None:
    # The frames of each part follow those of the parts before it, with gaps only where parts are missing.
    expected = 0
    for concatenation, data_set in ordered:
        offset = concatenation.frame_offset
        if offset is not None:
            if offset < expected or (offset > expected and not gaps):
                raise DicomError(
                    f"part {concatenation.number} of concatenation {concatenation.uid} states that {offset} frames "
                    f"precede it; there are {expected}"
                )
            expected = offset
        expected += _frames(data_set)


def _whole_data_set(parts: list[Dataset], concatenation: Concatenation) -> Dataset:
    # Copy the first part's data set, without the attributes of the part, and with those of the whole object.
    whole = parts[0].copy()
    for keyword in OF_PARTS:
        whole.pop(keyword, None)
    if concatenation.source_uid:
        whole.SOPInstanceUID = concatenation.source_uid
    whole.NumberOfFrames = sum(map(_frames, parts))
    groups = [item for part in parts for item in items_of(part, "PerFrameFunctionalGroupsSequence")]
    if groups:
        whole.add(DataElement("PerFrameFunctionalGroupsSequence", "SQ", Sequence(groups)))
    return whole
