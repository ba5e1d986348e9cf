"""Concatenations: one multi-frame object stored as several instances (PS3.3 C.7.6.16.2.2.4)."""

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

SHOWN = 20  # missing parts that a message names
MOST_PARTS = 0xFFFF  # In-concatenation Number and Total Number are US
# What tells the parts apart, and goes when they are one again.
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
    """What one instance says of the concatenation it is part of; None for what it doesn't say."""

    uid: UID
    number: int | None
    """In-concatenation Number: 1 for the first part."""
    total: int | None
    """In-concatenation Total Number: how many parts there are."""
    frame_offset: int | None
    """Concatenation Frame Offset Number: frames in the parts before, so 0 for the first."""
    source_uid: UID | None
    """SOP Instance UID of the object that was divided."""


def concatenation_of(data_set: Dataset) -> Concatenation | None:
    """The concatenation that `data_set` is part of, None when it stands alone."""
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
    """The object whose parts `data_sets` are, in any order; nothing is decoded or copied until it is asked for.

    Raises DicomError where they are not parts of one concatenation, where a part stands twice or says another place
    for its frames than the parts before it leave, and for missing parts, which it names. `partial` joins what is there
    all the same: `Joined.missing` has the numbers then. How many parts there should be is known only where one says so.
    """
    parts = list(data_sets)
    said = [_part(data_set) for data_set in parts]
    if not parts:
        raise DicomError("no parts of a concatenation were given")
    if len({one.uid for one in said}) > 1:
        raise DicomError(f"parts of several concatenations: {', '.join(sorted({one.uid for one in said}))}")
    by_number: dict[int, tuple[Concatenation, Dataset]] = {}
    for one, data_set in zip(said, parts, strict=True):
        if one.number in by_number:
            raise DicomError(f"part {one.number} of concatenation {one.uid} is there twice")
        by_number[one.number or 0] = one, data_set
    totals = {one.total for one in said} - {None}
    total = max([*by_number, *(t for t in totals if t is not None)])
    if total > MOST_PARTS:
        raise DicomError(f"concatenation {said[0].uid} claims {total} parts; there can't be more than {MOST_PARTS}")
    missing = tuple(number for number in range(1, total + 1) if number not in by_number)
    if missing and not partial:
        lacking = ", ".join(map(str, missing[:SHOWN])) + (", …" if len(missing) > SHOWN else "")
        raise DicomError(
            f"concatenation {said[0].uid} lacks part {lacking} of {total}; partial=True joins those that are there"
        )
    ordered = [by_number[number] for number in sorted(by_number)]
    _check_offsets(ordered, bool(missing))
    return Joined([data_set for _, data_set in ordered], ordered[0][0], missing)


class Joined:
    """A concatenation as the one object it was divided from; made by `join`.

    `parts` are its instances in order, `missing` the numbers of those that weren't given.
    """

    def __init__(self, parts: list[Dataset], said: Concatenation, missing: tuple[int, ...]) -> None:
        self.parts = tuple(parts)
        self.missing = missing
        self.uid = said.uid
        self.data_set = _whole_data_set(parts, said)
        self.frames = JoinedFrames(parts)

    def __repr__(self) -> str:
        return f"<Joined concatenation {self.uid}: {len(self.parts)} parts, {len(self.frames)} frames>"


class JoinedFrames:
    """The frames of all parts in order, each decoded by its own part when it is asked for."""

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
        """One frame, as `Frames.decode` gives it."""
        part, i = self._place(index)
        return part.frames.decode(i, **options)

    def encoded(self, index: int) -> memoryview:
        """The codestream of one frame."""
        part, i = self._place(index)
        return part.frames.encoded(i)

    def _place(self, index: int) -> tuple[Dataset, int]:
        # The part that holds a frame, and which of the part's frames it is.
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
    said = concatenation_of(data_set)
    name = data_set.filename or data_set.get("SOPInstanceUID", "a data set")
    if said is None:
        raise DicomError(f"{name} is not part of a concatenation: it has no Concatenation UID (0020,9161)")
    if said.number is None or said.number < 1:
        raise DicomError(f"{name} has no In-concatenation Number (0020,9162)")
    return said


def _check_offsets(ordered: list[tuple[Concatenation, Dataset]], gaps: bool) -> None:
    # Each part's frames begin where those before it end, or behind that where parts are missing.
    expected = 0
    for said, data_set in ordered:
        offset = said.frame_offset
        if offset is not None:
            if offset < expected or (offset > expected and not gaps):
                raise DicomError(
                    f"part {said.number} of concatenation {said.uid} says that {offset} frames stand before it; "
                    f"there are {expected}"
                )
            expected = offset
        expected += _frames(data_set)


def _whole_data_set(parts: list[Dataset], said: Concatenation) -> Dataset:
    # The first part's data set, with what it says of the part alone replaced by what holds for all.
    whole = parts[0].copy()
    for keyword in OF_PARTS:
        whole.pop(keyword, None)
    if said.source_uid:
        whole.SOPInstanceUID = said.source_uid
    whole.NumberOfFrames = sum(map(_frames, parts))
    groups = [item for part in parts for item in items_of(part, "PerFrameFunctionalGroupsSequence")]
    if groups:
        whole.add(DataElement("PerFrameFunctionalGroupsSequence", "SQ", Sequence(groups)))
    return whole
