"""`series_volume`: the slices of a series as one array, with its position in the patient."""

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

FILLED = 100  # slices filled in for each slice that exists, at most: damaged positions may claim any gap
SKEW = 0.02  # rounding of cosines to two digits, and the angle in radians that results from it
Column = tuple[Slice | None, ...]
"""The slices at one place, time by time."""
SourcesLike = SourceLike | Dataset | Iterable[SourceLike | Dataset]


@dataclass(frozen=True, eq=False)
class Volume:
    """The slices of a series as one array, and the affine from its indices to positions in the patient."""

    array: NDArray[Any]
    """Shape (slices, rows, columns), in colour (slices, rows, columns, samples); with ``times="all"`` preceded by an
    axis of times."""
    affine: NDArray[np.float64]
    """4 × 4: ``affine @ (slice, row, column, 1)`` is the centre of that voxel in mm in DICOM's patient coordinates,
    LPS: x towards the patient's left, y to the back (posterior), z to the head (superior); PS3.3 C.7.6.2.1.1."""
    sources: tuple[tuple[str, int] | None, ...]
    """For each slice its path (or number among the data sets) and frame, one time after the other; None for a slice
    that was filled in."""
    issues: tuple[Issue, ...]
    """Irregularities: slices that are missing, left out, at one place, unevenly spaced or tilted; values made up."""
    seconds: tuple[float, ...] = (0.0,)
    """The start of each time in seconds after the first; empty if no attribute tells it."""
    slope_intercept: tuple[float, float] | None = (1.0, 0.0)
    """Slope and intercept from the array's values to modality values. None if slices differ in them or have a Modality
    LUT."""
    has_times: bool = False
    """Whether the first axis of the array is time."""

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distances in mm between slices, rows and columns."""
        between, rows, columns = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return between, rows, columns

    @property
    def ras_affine(self) -> NDArray[np.float64]:
        """The affine to RAS coordinates, which NIfTI and nibabel use."""
        return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.affine)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a NIfTI-1 file, ``.nii`` or ``.nii.gz``, completely or not at all. Needs the extra `nifti`.

        The axes are columns, rows, slices and times. The affine is in RAS, as sform and, unless the stack is sheared,
        as qform, both with code 1 (scanner). Values are the array's in its own dtype (float16 becomes float32), with
        slope and intercept if they are stored values; colour of 8 bits is RGB24.

        Raises ValueError for another suffix, EncodeError for a volume that NIfTI can't represent, for example with gaps
        that are not filled, and ModuleNotFoundError if nibabel is not installed.
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
    """Sort the slices of a series by their position in the patient, and decode them into one array.

    Slices ascend along the normal of their plane (row × column direction); file names and Instance Numbers have no
    influence. A volume has one series, orientation, frame of reference, pixel spacing and kind of image: slices that
    don't fit the largest group are left out. `issues` reports them, and gaps and values that had to be made up. A
    single slice has the thickness of Spacing Between Slices or Slice Thickness.

    Parameters
    ----------
    sources : path, Dataset, or an iterable of these
        Files, folders or data sets: single images, enhanced multi-frame images, dose grids, reconstructed nuclear
        medicine. A pipe, socket or device in a folder is passed over and reported in `issues`.
    rescale : bool
        Return modality values as float32 (Hounsfield units of a CT, Gy of a dose), with each slice's own slope. With
        False, return stored values in the smallest dtype that holds those of all slices. Colour is never rescaled.
    dtype : dtype, optional
        Another dtype for the array. Values that it can't hold (too large, or fractions in integers) raise DicomError.
    fill : float, optional
        Value of missing slices. Without it the affine is valid up to the first gap, with it throughout.
    times : int or "all", optional
        With several images at each place, the number of the time to take, from 0 in order of time; or "all", which adds
        an axis of times before the others. By default the first is taken, and `issues` reports the number of times. The
        order is that of Temporal Position, Trigger Time, Frame Reference Time, acquisition, content, Instance Number
        and b-value.
    select : mapping, optional
        Attributes and values: only slices with these values are taken, for example ``{"EchoTime": 4.9}``.
    errors : {"raise", "skip"}
        Raise the error of a file or frame that can't be read or decoded, or is not DICOM; or skip it and report it in
        `issues`.
    strict : bool
        Raise DicomError instead of reporting an issue.
    workers : int, optional
        Number of threads; by default as many as there are processors.
    limits : Limits, optional
        Limits for each file, as in `dcmread`: ``Limits(isolate=True)`` decodes in worker processes. Data sets keep
        their own.

    Returns
    -------
    Volume
        The array, its affine, the sources of its slices, and the issues.

    Raises
    ------
    DicomError
        No image has a position in the patient, slices lie side by side, no attribute tells the order of images at one
        place, a frame can't be decoded, or values don't fit `dtype`.
    OSError
        A file can't be read.
    IndexError
        The time does not exist.
    """
    if errors not in ("raise", "skip"):
        raise ValueError(f"errors is 'raise' or 'skip', not {errors!r}")
    if times is not None and times != "all" and not isinstance(times, int):
        raise ValueError(f"times is a number, 'all' or None, not {times!r}")
    kind = None if dtype is None else np.dtype(dtype)
    if kind is not None and kind.kind not in "iuf":
        raise ValueError(f"dtype is one of integers or floats, not {kind}")
    options = _Options(rescale, kind, fill, times, workers or cpus(), errors == "skip", strict)
    slices, issues = _located(sources, limits, options.skip)
    if slices and select:
        slices = [slice_ for slice_ in slices if _is_selected(slice_, select)]
        if not slices:
            raise DicomError(f"no image has {' and '.join(f'{name} {value!r}' for name, value in select.items())}")
    slices, copies = without_copies(slices)
    issues += copies
    while True:
        if not slices:
            why = f" ({issues[0].message})" if issues else ""
            raise DicomError(f"no image has a position and an orientation in the patient: there is no volume{why}")
        volume, broken = _assembled(slices, issues, options)
        if volume is not None:
            return volume
        first = next(iter(broken.values()))
        text = f"left out as they can't be decoded: {counted(len(broken), 'frame')}, the first with: {first}"
        issues.append(issue("UNREADABLE", text, "PixelData"))
        slices = [slice_ for slice_ in slices if id(slice_) not in broken]


def _located(sources: SourcesLike, limits: Limits | None, skip: bool) -> tuple[list[Slice], list[Issue]]:
    """All slices with a position, and issues for files and frames without one."""
    located: list[Slice] = []
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
            slices, of_file = slices_of(name, data_set)
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
        located += slices
        issues += of_file
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
    return located, issues


def _named(sources: SourcesLike) -> Iterator[tuple[str, str | Dataset]]:
    """Each path or data set, with its name: the path, or the data set's number."""
    listed = [sources] if isinstance(sources, (str, os.PathLike, PathList, Dataset)) else sources
    number = 0
    for given in listed:
        for source in [given] if isinstance(given, Dataset) else Sources(given):
            yield (str(number) if isinstance(source, Dataset) else str(source)), source
            number += 1


def _is_selected(slice_: Slice, select: Mapping[str, Any]) -> bool:
    return all(comparable(slice_.get(keyword)) == comparable(value) for keyword, value in select.items())


def _assembled(
    slices: list[Slice], before: list[Issue], options: _Options
) -> tuple[Volume | None, dict[int, DicomError]]:
    """The volume of the largest group of slices; or None, and the errors of undecodable slices by id() of the slice."""
    chosen, left_out = one_group(slices)
    chosen, absent, broken = _present(chosen, options.skip)
    if broken:
        return None, broken
    chosen, of_other_kind = one_kind(chosen)
    by_distance = by_place(chosen)
    refuse_beside(by_distance)
    times = times_of(by_distance)
    grid, picked = _picked(times, options.times)
    places = [column for column in zip(*grid, strict=True) if any(column)]
    ordered = [next(slice_ for slice_ in column if slice_ is not None) for column in places]
    step, missing, odd = step_of(ordered)
    taken = [slice_ for column in places for slice_ in column if slice_ is not None]
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
    flat = [slice_ for time in zip(*places, strict=True) for slice_ in time]
    array, broken = _decoded(flat, options)
    if broken:
        return None, broken
    present = [slice_ for slice_ in flat if slice_ is not None]
    of_frames = _of_frames(present)
    if options.strict:
        _refuse(of_frames)
    has_times = options.times == "all"
    volume = Volume(
        array=array.reshape(len(grid), len(places), *array.shape[1:]) if has_times else array,
        affine=_affine(ordered[0], step),
        sources=tuple(None if slice_ is None else (slice_.source, slice_.frame) for slice_ in flat),
        issues=(*issues, *of_frames),
        seconds=seconds_of(grid),
        slope_intercept=_slope_intercept(present, options.rescale),
        has_times=has_times,
    )
    return volume, {}


def _refuse_holes(places: list[Column], ordered: list[Slice]) -> None:
    for column, slice_ in zip(places, ordered, strict=True):
        if None in column:
            place = slice_.position.tolist()
            raise DicomError(f"time {column.index(None)} has no slice at {place}: fill gives it a value")


def _with_gaps(places: list[Column], missing: list[int]) -> list[Column]:
    """The places of all slices, with empty columns at the places of missing slices."""
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
    """The slices whose frames exist, an issue for those whose frames do not, and with `skip` the errors of slices whose
    data sets have no readable frames, by id() of the slice."""
    kept: list[Slice] = []
    absent: list[Slice] = []
    broken: dict[int, DicomError] = {}
    for slice_ in slices:
        try:
            (kept if slice_.frame < len(_frames(slice_)) else absent).append(slice_)
        except DicomError as error:
            if not skip:
                raise
            broken[id(slice_)] = error
    if not absent:
        return kept, [], broken
    text = f"frames with a position but without pixel data: {len(absent)}, the first is {absent[0]}"
    if not kept:
        raise DicomError(text)
    return kept, [issue("ABSENT_FRAMES", text, "NumberOfFrames")], broken


def _frames(slice_: Slice) -> Any:
    try:
        return slice_.data_set.frames
    except DicomError as error:
        _name(error, slice_.source)
        raise


def _name(error: DicomError, source: str, frame: int | None = None) -> None:
    """Add the file and frame to an error's text."""
    if isinstance(error, PixelDecodeError):
        error.path = error.path or source
        error.frame = frame if error.frame is None else error.frame
    elif source not in str(error):
        error.args = (f"{source}: {error}", *error.args[1:])


def _picked(available: Times, times: int | Literal["all"] | None) -> tuple[list[list[Slice | None]], list[Issue]]:
    """The requested times, and issues for missing slices, and for further times if the caller requested none."""
    grid = available.grid
    if times == "all":
        return grid, _lacking(available, grid)
    if times is not None and not -len(grid) <= times < len(grid):
        raise IndexError(f"time {times} of {len(grid)}")
    chosen = [grid[times or 0]]
    issues = _lacking(available, chosen)
    if times is not None or len(grid) == 1:
        return chosen, issues
    count = sum(slice_ is not None for time in grid[1:] for slice_ in time)
    by = available.told_by
    text = f"there are {len(grid)} times, which differ in {by}: the first was taken and {count} slices left out"
    return chosen, [*issues, issue("SEVERAL_TIMES", f"{text}; times='all' takes all, times=1 the second")]


def _lacking(available: Times, chosen: list[list[Slice | None]]) -> list[Issue]:
    """An issue if the chosen times have no slice at places where others do, unless there is one of uneven times."""
    missing = [place for time in chosen for place, slice_ in enumerate(time) if slice_ is None]
    if not missing or available.issues:
        return []
    other = next(time[missing[0]] for time in available.grid if time[missing[0]] is not None)
    text = f"missing at places where another time has a slice: {counted(len(missing), 'slice')}, the first where"
    return [issue("UNEVEN_TIMES", f"{text} {other} lies")]


def _made_up(slices: list[Slice]) -> list[Issue]:
    """Issues for pixel spacings that had to be made up, one for all slices with the same text, and for mosaics."""
    texts: dict[str, list[Slice]] = {}
    for slice_ in slices:
        if slice_.made_up:
            texts.setdefault(slice_.made_up, []).append(slice_)
    issues = [
        issue("INVENTED_SPACING", f"of {len(several)} slices {text}; the first is {several[0]}", "PixelSpacing")
        for text, several in texts.items()
    ]
    kinds = slices[0].get("ImageType")
    if isinstance(kinds, list) and "MOSAIC" in kinds:  # by Siemens: private attributes have the places of its tiles
        text = f"{slices[0]}: a mosaic of slices was taken for one slice, whose position it does not have"
        issues.append(issue("MOSAIC", text, "ImageType"))
    return issues


def _odd_orientation(first: Slice) -> list[Issue]:
    """An issue if rows and columns are not at right angles, or cosines are no unit vectors, by more than rounding
    (PS3.3 C.7.6.2.1.1)."""
    cosines = first.get("ImageOrientationPatient")
    if not isinstance(cosines, list) or len(cosines) != 6:  # the detector has them
        cosines = [*first.along_row.tolist(), *first.along_column.tolist()]
    row, column = np.array(cosines[:3], np.float64), np.array(cosines[3:], np.float64)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    angle = float(np.degrees(np.arccos(row @ column / (lengths[0] * lengths[1]))))
    if max(abs(length - 1) for length in lengths) <= SKEW and abs(angle - 90) <= np.degrees(SKEW):
        return []
    what = f"cosines are vectors of length {lengths[0]:.4g} and {lengths[1]:.4g}, {angle:.4g} degrees apart"
    return [issue("ODD_ORIENTATION", f"{first}: {what}", "ImageOrientationPatient")]


def _mixed_units(slices: list[Slice]) -> list[Issue]:
    """Issues for slices whose modality values have another unit than others', or are the stored values."""
    plain = [slice_ for slice_ in slices if not slice_.is_transformed]
    issues = []
    if plain and any(not slice_.display.keeps_values for slice_ in slices):
        text = f"{len(plain)} of {len(slices)} slices have no Rescale Slope and Intercept, others do: {plain[0]}"
        issues.append(issue("MIXED_UNITS", text, "RescaleIntercept"))
    units = {slice_.unit: slice_ for slice_ in reversed(slices) if slice_.unit}
    if len(units) > 1:
        text = ", ".join(f"{unit} ({slice_})" for unit, slice_ in sorted(units.items()))
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
    if any(slice_.display.modality_lut is not None for slice_ in slices):
        return None
    pairs = {(slice_.display.rescale_slope, slice_.display.rescale_intercept) for slice_ in slices}
    return pairs.pop() if len(pairs) == 1 else None


def _of_frames(slices: list[Slice]) -> list[Issue]:
    """The issues of the slices' frames; an issue that several files share appears once."""
    files = {id(slice_.data_set): slice_ for slice_ in slices}
    slices_of_issue: dict[Issue, list[Slice]] = {}
    for slice_ in files.values():
        for note in slice_.display.notes:
            if note.code == "rescale-slope":  # others concern windows and palettes, which don't change values here
                slice_.data_set.frames.note(note)
        for noted in slice_.data_set.frames.issues:
            slices_of_issue.setdefault(noted._replace(offset=0), []).append(slice_)
    return [
        noted._replace(message=f"{sharing[0].source}: {noted.message}" + _and_more(len(sharing) - 1))
        for noted, sharing in slices_of_issue.items()
    ]


def _and_more(files: int) -> str:
    return f" (and in {files} more files)" if files else ""


def _decoded(places: list[Slice | None], options: _Options) -> tuple[NDArray[Any], dict[int, DicomError]]:
    """The array (slices, rows, columns[, samples]), and the errors to skip, by id() of the slice."""
    present = [(i, slice_) for i, slice_ in enumerate(places) if slice_ is not None]
    first = present[0][1]
    rescale = options.rescale and len(first.data_set.frames.description.shape) == 2
    kind = options.dtype
    if kind is None:
        kind = np.dtype(np.float32) if rescale else common_dtype([slice_ for _, slice_ in present])
    broken: dict[int, DicomError] = {}

    def values_of(slice_: Slice) -> NDArray[Any]:
        try:
            values = slice_.data_set.frames.decode(slice_.frame)
        except DicomError as error:
            _name(error, slice_.source, slice_.frame)
            raise
        bound = 2.0 ** (8 * values.itemsize) if values.dtype.kind in "iu" else np.inf
        if rescale:
            values = apply_modality(values, slice_.display)
            bound = bound * abs(slice_.display.rescale_slope) + abs(slice_.display.rescale_intercept)
        return fitted(values, kind, slice_, bound)

    shape = None
    for _, slice_ in present:  # an undecodable volume raises before its whole claimed size is allocated
        try:
            shape = values_of(slice_).shape
            break
        except DicomError as error:
            if not options.skip:
                raise
            broken[id(slice_)] = error
    if shape is None:
        return np.empty(0), broken
    array = np.empty((len(places), *shape), kind)
    if options.fill is not None:
        check_fill(options.fill, kind)
        array[[i for i, slice_ in enumerate(places) if slice_ is None]] = options.fill

    def decode(_: int, item: tuple[int, Slice]) -> None:
        place, slice_ = item
        try:
            values = values_of(slice_)
            if values.shape != shape:
                raise DicomError(f"{slice_}: a frame of {values.shape} among others of {shape}")
            array[place] = values
        except DicomError as error:
            if not options.skip:
                raise
            broken[id(slice_)] = error

    run_over(present, decode, options.workers)
    return array, broken
