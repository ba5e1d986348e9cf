"""series_volume: the slices of a series as one array, with where it lies in the patient."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dicomcore.archive.failure import NOT_DICOM, kind_of
from dicomcore.archive.imaging.fitting import check_fill, common_dtype, fitted
from dicomcore.archive.imaging.groups import comparable, mixed_kinds, one_group, one_kind, without_copies
from dicomcore.archive.imaging.slices import Slice, counted, issue, slices_of
from dicomcore.archive.imaging.stack import by_place, refuse_beside, step_of
from dicomcore.archive.imaging.times import Times, seconds_of, times_of
from dicomcore.archive.listing import opened
from dicomcore.archive.sources.lists import PathList
from dicomcore.archive.sources.place import NOT_REGULAR, Fault
from dicomcore.archive.sources.sources import SourceLike, Sources
from dicomcore.dataset import Dataset
from dicomcore.display.rendering import apply_modality
from dicomcore.errors import DicomError, PixelDecodeError
from dicomcore.issues import Issue
from dicomcore.limits import Limits
from dicomcore.threads import cpus, run_over

__all__ = ["Volume", "series_volume"]

FILLED = 100  # slices for each that is there, at most: what positions claim is not believed without end
SKEW = 0.02  # what two digits of a cosine leave open, and the radians that makes
Column = tuple[Slice | None, ...]
"""What lies at one place, time by time."""
SourcesLike = SourceLike | Dataset | Iterable[SourceLike | Dataset]


@dataclass(frozen=True, eq=False)
class Volume:
    """Slices as one array, and how its indices become places in the patient."""

    array: NDArray[Any]
    """(slices, rows, columns), in colour (slices, rows, columns, samples); with ``times="all"`` all of that after an
    axis of times."""
    affine: NDArray[np.float64]
    """4 × 4: ``affine @ (slice, row, column, 1)`` is the centre of that voxel in mm in DICOM's patient coordinates,
    LPS: x towards the patient's left, y to the back (posterior), z to the head (superior); PS3.3 C.7.6.2.1.1."""
    sources: tuple[tuple[str, int] | None, ...]
    """For each slice its path (or number among the data sets) and frame, of several times one time after the other;
    None where it was filled in."""
    issues: tuple[Issue, ...]
    """What is odd: slices that are missing, lie at one place, unevenly, tilted, or were left out; what was made up."""
    seconds: tuple[float, ...] = (0.0,)
    """When each time begins, in seconds after the first; empty where nothing tells."""
    slope_intercept: tuple[float, float] | None = (1.0, 0.0)
    """What makes modality values of the array's. None where that differs between slices, or a Modality LUT does it."""
    has_times: bool = False
    """Whether the first axis of the array is time."""

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distances in mm between slices, rows and columns."""
        between, rows, columns = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return between, rows, columns

    @property
    def ras_affine(self) -> NDArray[np.float64]:
        """The affine to RAS coordinates, as NIfTI and nibabel have them."""
        return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.affine)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a NIfTI-1 file, ``.nii`` or ``.nii.gz``, whole or not at all; takes the extra `nifti`.

        Axes are columns, rows, slices and times; the affine is in RAS, as sform and, unless the stack is sheared, as
        qform, both with code 1 (scanner). Values are the array's in its own dtype (float16 as float32), with slope and
        intercept where they are stored values; colour of 8 bits is RGB24.

        Raises ValueError for another suffix, EncodeError for what NIfTI can't hold (gaps that nothing fills are such),
        ModuleNotFoundError where nibabel isn't installed.
        """
        from dicomcore.archive.imaging.nifti import write_nifti

        write_nifti(self, path)


class _Options(NamedTuple):
    rescale: bool
    dtype: np.dtype[Any] | None
    fill: float | None
    times: int | Literal["all"] | None
    workers: int
    skip: bool
    strict: bool


def series_volume(
    sources: SourcesLike,
    *,
    rescale: bool = True,
    dtype: DTypeLike | None = None,
    fill: float | None = None,
    times: int | Literal["all"] | None = None,
    select: Mapping[str, Any] | None = None,
    errors: Literal["raise", "skip"] = "raise",
    strict: bool = False,
    workers: int | None = None,
    limits: Limits | None = None,
) -> Volume:
    """Sort the slices of a series by where they lie in the patient, and decode them into one array.

    Slices ascend along the normal of their plane (row × column direction); file names and Instance Numbers have no
    say. A volume is of one series, orientation, frame of reference, pixel spacing and kind of image: slices that don't
    fit the most others are left out, and `issues` says so, as it does of gaps and of what had to be made up. A single
    slice is as thick as Spacing Between Slices or Slice Thickness says.

    Parameters
    ----------
    sources
        Files, folders or data sets: single images, enhanced multi-frame images, dose grids, reconstructed nuclear
        medicine. What is no file in a folder (a pipe, a socket, a device) is passed over, and said.
    rescale
        Values are those of the modality (Hounsfield units of a CT, Gy of a dose; slice by slice where the slope
        changes) as float32. With False they are the stored ones, in the smallest dtype that holds those of all slices.
        Colour is never rescaled.
    dtype
        Another type. Values that it can't hold (too large, or fractions in integers) are refused.
    fill
        The value of slices that are missing. Without it the affine holds up to the first gap, with it throughout.
    times
        Of several images at each place, the number of the one to take, from 0 in order of time, or "all" of them in an
        array with an axis before the others. Without it the first is taken, and `issues` says how many there are. The
        order is that of Temporal Position, Trigger Time, Frame Reference Time, acquisition, content, Instance Number
        and b-value.
    select
        Attributes and their values: only slices that have these are taken, as in ``{"EchoTime": 4.9}``.
    errors
        "raise" what a file or frame that can't be read or decoded, or is not DICOM, raises, or "skip" it and say so in
        `issues`.
    strict
        Raise DicomError for what would be an issue.
    workers
        Threads, by default one a processor.
    limits
        Each file's, as in `dcmread`: ``Limits(isolate=True)`` decodes in worker processes. Data sets have theirs.

    Raises
    ------
    DicomError
        Where nothing has a place in the patient, slices lie side by side, nothing tells the order of images at one
        place, a frame can't be decoded, or values don't fit `dtype`.
    OSError
        For what can't be read.
    IndexError
        For a time that there isn't.
    """
    if errors not in ("raise", "skip"):
        raise ValueError(f"errors is 'raise' or 'skip', not {errors!r}")
    if times is not None and times != "all" and not isinstance(times, int):
        raise ValueError(f"times is a number, 'all' or None, not {times!r}")
    kind = None if dtype is None else np.dtype(dtype)
    if kind is not None and kind.kind not in "iuf":
        raise ValueError(f"dtype is one of integers or floats, not {kind}")
    options = _Options(rescale, kind, fill, times, workers or cpus(), errors == "skip", strict)
    found, issues = _located(sources, limits, options.skip)
    if found and select:
        found = [one for one in found if _is_selected(one, select)]
        if not found:
            raise DicomError(f"no image has {' and '.join(f'{name} {value!r}' for name, value in select.items())}")
    found, copies = without_copies(found)
    issues += copies
    while True:
        if not found:
            why = f" ({issues[0].message})" if issues else ""
            raise DicomError(f"no image has a position and an orientation in the patient: there is no volume{why}")
        volume, broken = _assembled(found, issues, options)
        if volume is not None:
            return volume
        first = next(iter(broken.values()))
        text = f"left out as they can't be decoded: {counted(len(broken), 'frame')}, the first with: {first}"
        issues.append(issue("UNREADABLE", text, "PixelData"))
        found = [one for one in found if id(one) not in broken]


def _located(sources: SourcesLike, limits: Limits | None, skip: bool) -> tuple[list[Slice], list[Issue]]:
    """All slices that have a place, and what to say of files and frames without."""
    found: list[Slice] = []
    issues: list[Issue] = []
    without: list[str] = []
    unreadable: list[str] = []
    special: list[str] = []
    others: list[str] = []
    for name, source in _named(sources):
        if isinstance(source, Fault) and source.reason == NOT_REGULAR:
            special.append(name)
            continue
        try:
            data_set = source if isinstance(source, Dataset) else opened(source, limits=limits)
            slices, said = slices_of(name, data_set)
        except (DicomError, OSError) as error:
            if isinstance(error, DicomError):
                _name(error, name)
            if not skip:
                raise
            if kind_of(error) == NOT_DICOM:
                others.append(name)
                continue
            unreadable.append(str(error) if name in str(error) else f"{name}: {error}")
            continue
        found += slices
        issues += said
        if not slices:
            without.append(name)
    if unreadable:
        text = f"left out as they can't be read: {counted(len(unreadable), 'file')}, the first with: {unreadable[0]}"
        issues.append(Issue("UNREADABLE", None, 0, text))
    if others:
        text = f"passed over as they are not DICOM: {counted(len(others), 'file')}, the first is {others[0]}"
        issues.append(Issue("NOT_DICOM", None, 0, text))
    if special:
        text = f"passed over as pipes, sockets or devices: {len(special)}, the first is {special[0]}"
        issues.append(Issue("NOT_A_FILE", None, 0, text))
    if without:
        text = f"left out without a place in the patient: {counted(len(without), 'file')}, the first is {without[0]}"
        issues.append(issue("NO_POSITION", text))
    return found, issues


def _named(sources: SourcesLike) -> Iterator[tuple[str, str | Dataset]]:
    """Each path or data set, and what it is called."""
    several = [sources] if isinstance(sources, (str, os.PathLike, PathList, Dataset)) else sources
    number = 0
    for one in several:
        for source in [one] if isinstance(one, Dataset) else Sources(one):
            yield (str(number) if isinstance(source, Dataset) else str(source)), source
            number += 1


def _is_selected(one: Slice, select: Mapping[str, Any]) -> bool:
    return all(comparable(one.get(keyword)) == comparable(value) for keyword, value in select.items())


def _assembled(
    found: list[Slice], before: list[Issue], options: _Options
) -> tuple[Volume | None, dict[int, DicomError]]:
    """The volume of the most slices that fit together; None where some can't be decoded: them, by their id()."""
    chosen, left_out = one_group(found)
    chosen, absent, broken = _present(chosen, options.skip)
    if broken:
        return None, broken
    chosen, of_other_kind = one_kind(chosen)
    by_distance = by_place(chosen)
    refuse_beside(by_distance)
    times = times_of(by_distance)
    grid, picked = _picked(times, options.times)
    places = [column for column in zip(*grid, strict=True) if any(column)]
    ordered = [next(one for one in column if one is not None) for column in places]
    step, missing, odd = step_of(ordered)
    taken = [one for column in places for one in column if one is not None]
    issues = [*before, *left_out, *absent, *of_other_kind, *times.issues, *picked, *_made_up(ordered), *odd]
    issues += [*_odd_orientation(ordered[0]), *mixed_kinds(ordered)]
    if options.rescale and taken[0].image.samples != "colour":
        issues += _mixed_units(taken)
    if options.strict:
        _refuse(issues)
    if options.fill is not None:
        places = _with_gaps(places, missing)
    else:
        _refuse_holes(places, ordered)
    flat = [one for time in zip(*places, strict=True) for one in time]
    array, broken = _decoded(flat, options)
    if broken:
        return None, broken
    present = [one for one in flat if one is not None]
    said = _of_frames(present)
    if options.strict:
        _refuse(said)
    has_times = options.times == "all"
    volume = Volume(
        array=array.reshape(len(grid), len(places), *array.shape[1:]) if has_times else array,
        affine=_affine(ordered[0], step),
        sources=tuple(None if one is None else (one.source, one.frame) for one in flat),
        issues=(*issues, *said),
        seconds=seconds_of(grid),
        slope_intercept=_slope_intercept(present, options.rescale),
        has_times=has_times,
    )
    return volume, {}


def _refuse_holes(places: list[Column], ordered: list[Slice]) -> None:
    for column, one in zip(places, ordered, strict=True):
        if None in column:
            place = one.position.tolist()
            raise DicomError(f"time {column.index(None)} has no slice at {place}: fill gives it a value")


def _with_gaps(places: list[Column], missing: list[int]) -> list[Column]:
    """The places with those where slices are missing."""
    if sum(missing) > FILLED * len(places):
        raise DicomError(f"{sum(missing)} slices are missing among {len(places)}: that is no gap to be filled")
    filled: list[Column] = []
    for column, gap in zip(places, missing, strict=True):
        filled += [(None,) * len(column)] * gap
        filled.append(column)
    return filled


def _refuse(issues: list[Issue]) -> None:
    if issues:
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        raise DicomError(f"{issues[0].code}: {issues[0].message}{more}")


def _present(slices: list[Slice], skip: bool) -> tuple[list[Slice], list[Issue], dict[int, DicomError]]:
    """The slices whose frames are there, what to say of those that aren't, and, where these are to be skipped, what is
    wrong with slices whose data sets have no frames."""
    kept: list[Slice] = []
    absent: list[Slice] = []
    broken: dict[int, DicomError] = {}
    for one in slices:
        try:
            (kept if one.frame < len(_frames(one)) else absent).append(one)
        except DicomError as error:
            if not skip:
                raise
            broken[id(one)] = error
    if not absent:
        return kept, [], broken
    text = f"placed in the patient, and not there: {counted(len(absent), 'frame')}, the first is {absent[0]}"
    if not kept:
        raise DicomError(text)
    return kept, [issue("ABSENT_FRAMES", text, "NumberOfFrames")], broken


def _frames(one: Slice) -> Any:
    try:
        return one.data_set.frames
    except DicomError as error:
        _name(error, one.source)
        raise


def _name(error: DicomError, source: str, frame: int | None = None) -> None:
    """Let an error's text name the file and frame that it is about."""
    if isinstance(error, PixelDecodeError):
        error.path = error.path or source
        error.frame = frame if error.frame is None else error.frame
    elif source not in str(error):
        error.args = (f"{source}: {error}", *error.args[1:])


def _picked(found: Times, times: int | Literal["all"] | None) -> tuple[list[list[Slice | None]], list[Issue]]:
    """The times that were asked for, what they lack, and that there are more where nobody asked."""
    grid = found.grid
    if times == "all":
        return grid, _lacking(found, grid)
    if times is not None and not -len(grid) <= times < len(grid):
        raise IndexError(f"time {times} of {len(grid)}")
    chosen = [grid[times or 0]]
    issues = _lacking(found, chosen)
    if times is not None or len(grid) == 1:
        return chosen, issues
    count = sum(one is not None for time in grid[1:] for one in time)
    text = (
        f"there are {len(grid)} times, told apart by {found.told_by}: the first was taken and {count} slices left out"
    )
    return chosen, [*issues, issue("SEVERAL_TIMES", f"{text}; times='all' takes all, times=1 the second")]


def _lacking(found: Times, chosen: list[list[Slice | None]]) -> list[Issue]:
    """What the chosen times lack where others have a slice, unless it was said that times are uneven."""
    lacks = [place for time in chosen for place, one in enumerate(time) if one is None]
    if not lacks or found.issues:
        return []
    other = next(time[lacks[0]] for time in found.grid if time[lacks[0]] is not None)
    text = f"{counted(len(lacks), 'slice')} of what was taken are missing where other times have one, the first beside"
    return [issue("UNEVEN_TIMES", f"{text} {other}")]


def _made_up(slices: list[Slice]) -> list[Issue]:
    """What had to be made up of pixel spacings, once for all slices that have it in common; and mosaics."""
    texts: dict[str, list[Slice]] = {}
    for one in slices:
        if one.made_up:
            texts.setdefault(one.made_up, []).append(one)
    issues = [
        issue("INVENTED_SPACING", f"of {len(several)} slices {text}; the first is {several[0]}", "PixelSpacing")
        for text, several in texts.items()
    ]
    kinds = slices[0].get("ImageType")
    if isinstance(kinds, list) and "MOSAIC" in kinds:  # of Siemens: where its tiles lie is in private attributes
        text = f"{slices[0]}: a mosaic of slices was taken for one, which its place in the patient doesn't fit"
        issues.append(issue("MOSAIC", text, "ImageType"))
    return issues


def _odd_orientation(first: Slice) -> list[Issue]:
    """That rows and columns aren't at right angles, or cosines no unit vectors, by more than rounding (C.7.6.2.1.1)."""
    cosines = first.get("ImageOrientationPatient")
    if not isinstance(cosines, list) or len(cosines) != 6:  # a detector's
        cosines = [*first.along_row.tolist(), *first.along_column.tolist()]
    row, column = np.array(cosines[:3], np.float64), np.array(cosines[3:], np.float64)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    angle = float(np.degrees(np.arccos(row @ column / (lengths[0] * lengths[1]))))
    if max(abs(length - 1) for length in lengths) <= SKEW and abs(angle - 90) <= np.degrees(SKEW):
        return []
    what = f"cosines are vectors of length {lengths[0]:.4g} and {lengths[1]:.4g}, {angle:.4g} degrees apart"
    return [issue("ODD_ORIENTATION", f"{first}: {what}", "ImageOrientationPatient")]


def _mixed_units(slices: list[Slice]) -> list[Issue]:
    """That modality values of some slices are in another unit than others', or left as they are stored."""
    plain = [one for one in slices if not one.is_transformed]
    issues = []
    if plain and any(not one.display.keeps_values for one in slices):
        text = f"{len(plain)} of {len(slices)} slices have no Rescale Slope and Intercept, others do: {plain[0]}"
        issues.append(issue("MIXED_UNITS", text, "RescaleIntercept"))
    units = {one.unit: one for one in reversed(slices) if one.unit}
    if len(units) > 1:
        text = ", ".join(f"{unit} ({one})" for unit, one in sorted(units.items()))
        issues.append(issue("MIXED_UNITS", f"Rescale Type or Units differ between slices: {text}", "RescaleType"))
    return issues


def _affine(first: Slice, step: NDArray[np.float64]) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = first.along_column * first.spacing[0]
    affine[:3, 2] = first.along_row * first.spacing[1]
    affine[:3, 3] = first.position
    return affine


def _slope_intercept(slices: list[Slice], rescaled: bool) -> tuple[float, float] | None:
    if rescaled or slices[0].image.samples == "colour":
        return 1.0, 0.0
    if any(one.display.modality_lut is not None for one in slices):
        return None
    pairs = {(one.display.rescale_slope, one.display.rescale_intercept) for one in slices}
    return pairs.pop() if len(pairs) == 1 else None


def _of_frames(slices: list[Slice]) -> list[Issue]:
    """What their codestreams and data sets disagree about, once for all files that have it in common."""
    files = {id(one.data_set): one for one in slices}
    said: dict[Issue, list[Slice]] = {}
    for one in files.values():
        for note in one.display.notes:
            if note.code == "rescale-slope":  # the others are of windows and palettes, which no value goes through
                one.data_set.frames.note(note)
        for found in one.data_set.frames.issues:
            said.setdefault(found._replace(offset=0), []).append(one)
    return [
        found._replace(message=f"{several[0].source}: {found.message}" + _and_more(len(several) - 1))
        for found, several in said.items()
    ]


def _and_more(files: int) -> str:
    return f" (and in {files} more files)" if files else ""


def _decoded(places: list[Slice | None], options: _Options) -> tuple[NDArray[Any], dict[int, DicomError]]:
    """(slices, rows, columns[, samples]), and what went wrong with which slice, where that is to be skipped."""
    present = [(i, one) for i, one in enumerate(places) if one is not None]
    first = present[0][1]
    rescale = options.rescale and len(first.data_set.frames.description.shape) == 2
    kind = options.dtype
    if kind is None:
        kind = np.dtype(np.float32) if rescale else common_dtype([one for _, one in present])
    broken: dict[int, DicomError] = {}

    def values_of(one: Slice) -> NDArray[Any]:
        try:
            values = one.data_set.frames.decode(one.frame)
        except DicomError as error:
            _name(error, one.source, one.frame)
            raise
        bound = 2.0 ** (8 * values.itemsize) if values.dtype.kind in "iu" else np.inf
        if rescale:
            values = apply_modality(values, one.display)
            bound = bound * abs(one.display.rescale_slope) + abs(one.display.rescale_intercept)
        return fitted(values, kind, one, bound)

    shape = None
    for _, one in present:  # raises before all that is claimed is allocated
        try:
            shape = values_of(one).shape
            break
        except DicomError as error:
            if not options.skip:
                raise
            broken[id(one)] = error
    if shape is None:
        return np.empty(0), broken
    array = np.empty((len(places), *shape), kind)
    if options.fill is not None:
        check_fill(options.fill, kind)
        array[[i for i, one in enumerate(places) if one is None]] = options.fill

    def decode(_: int, item: tuple[int, Slice]) -> None:
        place, one = item
        try:
            values = values_of(one)
            if values.shape != shape:
                raise DicomError(f"{one}: a frame of {values.shape} among others of {shape}")
            array[place] = values
        except DicomError as error:
            if not options.skip:
                raise
            broken[id(one)] = error

    run_over(present, decode, options.workers)
    return array, broken
