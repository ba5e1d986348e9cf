"""series_volume: the slices of a series as one array, with where it lies in the patient."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dicomcore.archive.listing import opened
from dicomcore.archive.lists import PathList
from dicomcore.archive.slices import Slice, alike, issue, slices_of, stacked
from dicomcore.archive.sources import SourceLike, Sources
from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError
from dicomcore.issues import Issue
from dicomcore.limits import Limits
from dicomcore.pixels.render import apply_modality
from dicomcore.threads import cpus, run_over

__all__ = ["Volume", "series_volume"]

FILLED = 100  # slices for each that is there, at most: what positions claim is not believed without end
MOST_GROUPS = 64  # that are told apart


@dataclass(frozen=True, eq=False)
class Volume:
    """Slices as one array, and how its indices become places in the patient."""

    array: NDArray[Any]
    """(slices, rows, columns), or (slices, rows, columns, samples) in colour."""
    affine: NDArray[np.float64]
    """4 × 4: ``affine @ (slice, row, column, 1)`` is the centre of that voxel in mm in DICOM's patient coordinates,
    LPS: x towards the patient's left, y to the back (posterior), z to the head (superior); PS3.3 C.7.6.2.1.1."""
    sources: tuple[tuple[str, int] | None, ...]
    """For each slice its path (or number among the data sets) and frame; None where it was filled in."""
    issues: tuple[Issue, ...]
    """What is odd: slices that are missing, lie at one place, unevenly, tilted, or were left out."""

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distances in mm between slices, rows and columns."""
        between, rows, columns = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return between, rows, columns

    @property
    def ras_affine(self) -> NDArray[np.float64]:
        """The affine to RAS coordinates, as NIfTI and nibabel have them."""
        return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.affine)


def series_volume(
    sources: SourceLike | Dataset | Iterable[SourceLike | Dataset],
    *,
    rescale: bool = True,
    dtype: DTypeLike | None = None,
    fill: float | None = None,
    workers: int | None = None,
    limits: Limits | None = None,
) -> Volume:
    """Sort the slices of a series by where they lie in the patient, and decode them into one array.

    `sources` are files, folders or data sets: single images, enhanced multi-frame images, dose grids. Slices ascend
    along the normal of their plane (row × column direction); file names and Instance Numbers have no say. Values are
    those of the modality (Hounsfield units of a CT, Gy of a dose; slice by slice where the slope changes) as float32,
    or with ``rescale=False`` the stored ones in their own type; `dtype` is another type. Colour is never rescaled.

    Slices that don't fit the most others (orientation, shape, pixel spacing, frame of reference) are left out, of
    several at one place the first is taken, and `issues` says so. Where slices are missing the affine holds up to the
    first gap; with `fill` they are filled with that value, and it holds throughout. A single slice is as thick as
    Spacing Between Slices or Slice Thickness says. `limits` are each file's, as in `dcmread`: ``Limits(isolate=True)``
    decodes in worker processes. Data sets have theirs.

    Raises DicomError where nothing has a place in the patient or a frame can't be decoded, OSError for what can't be
    read.
    """
    found, issues = _located(sources, limits)
    if not found:
        raise DicomError("no image has a position and an orientation in the patient: there is no volume")
    chosen, left_out = _largest_group(found)
    ordered, step, missing, odd = stacked(chosen)
    if fill is not None and sum(missing) > FILLED * len(ordered):
        raise DicomError(f"{sum(missing)} slices are missing among {len(ordered)}: that is no gap to be filled")
    places: list[Slice | None] = []
    for one, before in zip(ordered, missing, strict=True):
        places += [None] * (before if fill is not None else 0)
        places.append(one)
    array = _decoded(places, rescale, dtype, fill, workers)
    first = ordered[0]
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = first.along_column * first.spacing[0]
    affine[:3, 2] = first.along_row * first.spacing[1]
    affine[:3, 3] = first.position
    where = tuple(None if one is None else (one.source, one.frame) for one in places)
    return Volume(array, affine, where, (*issues, *left_out, *odd))


def _located(
    sources: SourceLike | Dataset | Iterable[SourceLike | Dataset], limits: Limits | None
) -> tuple[list[Slice], list[Issue]]:
    """All slices that have a place, and what to say of files without."""
    several = [sources] if isinstance(sources, (str, os.PathLike, PathList, Dataset)) else sources
    found: list[Slice] = []
    without: list[str] = []
    number = 0
    for one in several:
        if isinstance(one, Dataset):
            named = [(str(number), one)]
        else:
            named = [(str(path), opened(path, limits=limits)) for path in Sources(one)]
        for name, data_set in named:
            number += 1
            slices = list(slices_of(name, data_set))
            found += slices
            if not slices:
                without.append(name)
    if not without:
        return found, []
    return found, [issue("NO_POSITION", f"{len(without)} without a place in the patient were left out: {without[0]}")]


def _largest_group(slices: list[Slice]) -> tuple[list[Slice], list[Issue]]:
    """The most slices that fit together, and why others were left out."""
    groups: list[list[Slice]] = []
    others: list[Slice] = []
    for one in slices:
        group = next((group for group in groups if not alike(group[0], one)), None)
        if group is not None:
            group.append(one)
        elif len(groups) < MOST_GROUPS:
            groups.append([one])
        else:
            others.append(one)
    largest = max(groups, key=len)
    reasons: dict[str, list[Slice]] = {}
    for one in chain(others, *(group for group in groups if group is not largest)):
        reasons.setdefault(alike(largest[0], one), []).append(one)
    return largest, [
        issue(code, f"{len(out)} of {len(slices)} slices were left out: {out[0].source}, frame {out[0].frame}")
        for code, out in reasons.items()
    ]


def _decoded(
    places: list[Slice | None], rescale: bool, dtype: DTypeLike | None, fill: float | None, workers: int | None
) -> NDArray[Any]:
    present = [(i, one) for i, one in enumerate(places) if one is not None]
    for one in present:
        if one[1].frame >= len(one[1].data_set.frames):
            raise DicomError(f"{one[1].source}: frame {one[1].frame} has a place in the patient, and isn't there")
    first = present[0][1].data_set.frames
    coloured = len(first.description.shape) == 3
    kind = np.dtype(dtype) if dtype is not None else np.dtype(np.float32) if rescale and not coloured else first.dtype
    first_frame = first.decode(present[0][1].frame)  # raises before all that is claimed is allocated
    array = np.empty((len(places), *first_frame.shape), kind)
    if len(present) < len(places):
        array[[i for i, one in enumerate(places) if one is None]] = fill

    def decode(_: int, item: tuple[int, Slice]) -> None:
        place, one = item
        values = one.data_set.frames.decode(one.frame)
        if values.shape != array.shape[1:]:
            raise DicomError(f"{one.source}: a frame of {values.shape} among others of {array.shape[1:]}")
        if rescale and not coloured:
            values = apply_modality(values, one.display)
        array[place] = values

    run_over(present, decode, workers or cpus())
    return array
