"""Volumes as NIfTI-1 files, written by nibabel."""

from __future__ import annotations

import gzip
import os
from io import IOBase
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.archive.extra import needs_extra
from dicomcore.errors import EncodeError
from dicomcore.files import placed

if TYPE_CHECKING:
    from dicomcore.archive.imaging.volume import Volume

__all__ = ["write_nifti"]

SCANNER = 1  # the code of coordinates of the scanner (NIFTI_XFORM_SCANNER_ANAT)
LONGEST = 32767  # voxels along an axis: the header has 16 bits for each
SHEAR = 1e-3  # the cosine between two axes above which a rotation does not describe them
RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


def write_nifti(volume: Volume, path: str | os.PathLike[str]) -> None:
    """Write a volume to a ``.nii`` or ``.nii.gz`` file; see `Volume.save`."""
    name = os.fsdecode(path).lower()
    if not name.endswith((".nii", ".nii.gz")):
        raise ValueError(f"{os.fsdecode(path)!r} is no name of a NIfTI file: it ends in .nii or .nii.gz")
    image = _image(volume)
    with placed(path) as file, open(file, "wb", closefd=False) as plain:
        if name.endswith(".gz"):
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=plain, mtime=0) as packed:
                _write(image, packed)
        else:
            _write(image, plain)


def _write(image: Any, file: IOBase) -> None:
    from nibabel.fileholders import FileHolder

    image.to_file_map({"image": FileHolder(fileobj=file)})


def _image(volume: Volume) -> Any:
    with needs_extra("nibabel", "nifti"):
        from nibabel.nifti1 import Nifti1Image

    if volume.slope_intercept is None:
        raise EncodeError("slices differ in Rescale Slope, and a NIfTI file has one slope: leave rescale=True")
    if None not in volume.sources and any(issue.code == "MISSING_SLICES" for issue in volume.issues):
        raise EncodeError("slices are missing, and one affine can't skip them: pass a fill value to series_volume")
    data = _by_columns(volume)
    if max(data.shape) > LONGEST:
        raise EncodeError(f"NIfTI-1 holds {LONGEST} voxels along an axis, not {max(data.shape)}")
    # Our axes are slices, rows and columns; NIfTI's are columns, rows and slices.
    affine = volume.ras_affine[:, [2, 1, 0, 3]]
    image = Nifti1Image(data, affine, dtype=data.dtype)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine, SCANNER)
    image.set_qform(affine, 0 if _is_sheared(affine) else SCANNER)
    # Values are written unchanged: nibabel does not scale them if the header has a slope.
    image.header.set_slope_inter(*volume.slope_intercept)
    if volume.has_times:
        image.header.set_zooms((*image.header.get_zooms()[:3], _time_step(volume.seconds)))
    return image


def _by_columns(volume: Volume) -> NDArray[Any]:
    """The array with axes (columns, rows, slices[, times]); colour becomes records of three bytes."""
    array = volume.array
    if array.ndim == 4 + volume.has_times:
        if array.dtype != np.uint8 or array.shape[-1] != 3:
            raise EncodeError(f"NIfTI-1 holds colour of three 8-bit samples, not of {array.shape[-1]} of {array.dtype}")
        array = np.ascontiguousarray(array).view(RGB)[..., 0]
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    return array.transpose()


def _is_sheared(affine: NDArray[np.float64]) -> bool:
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() > SHEAR)


def _time_step(seconds: tuple[float, ...]) -> float:
    """The average time from one image to the next, in seconds; 0 if the times are unknown."""
    return (seconds[-1] - seconds[0]) / (len(seconds) - 1) if len(seconds) > 1 else 0.0
