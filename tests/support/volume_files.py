"""Small images with a position in the patient, written by pydicom, for tests of volumes."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT, MR, NM = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.20"
ENHANCED_MR, DOSE = "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.481.2"
AXIAL = [1, 0, 0, 0, 1, 0]


def image(pixels: Any, position: Any = (0, 0, 0), *, sop_class: str = CT, **attributes: Any) -> Dataset:
    """An image of `pixels`, (rows, columns), (frames, rows, columns) or (rows, columns, 3); a number fills 4 × 5."""
    array = np.asarray(pixels)
    if array.ndim == 0:
        array = np.full((4, 5), pixels, np.int16)
    coloured = array.shape[-1] == 3
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = sop_class
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid()
    made.StudyInstanceUID, made.SeriesInstanceUID, made.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
    made.Modality, made.PatientID, made.PatientName = "CT", "1", "A^B"
    made.ImagePositionPatient, made.ImageOrientationPatient = list(map(float, position)), AXIAL
    made.PixelSpacing, made.SliceThickness = [0.5, 0.25], 2.5
    made.SamplesPerPixel = 3 if coloured else 1
    made.PhotometricInterpretation = "RGB" if coloured else "MONOCHROME2"
    if coloured:
        made.PlanarConfiguration = 0
    if array.ndim - coloured == 3:
        made.NumberOfFrames = len(array)
    made.Rows, made.Columns = array.shape[-3:-1] if coloured else array.shape[-2:]
    made.BitsAllocated = made.BitsStored = 8 * array.itemsize
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, int(array.dtype.kind == "i")
    made.PixelData = array.tobytes()
    if sop_class == DOSE:
        made.DoseGridScaling = 1
    for keyword, value in attributes.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def item(**attributes: Any) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def sequence(**attributes: Any) -> Sequence:
    """A sequence of one item."""
    return Sequence([item(**attributes)])


def encoded(made: Dataset) -> bytes:
    file = io.BytesIO()
    pydicom.dcmwrite(file, made, enforce_file_format=True)
    return file.getvalue()


def folder_of(folder: Path, images: Iterable[Dataset], names: Iterable[str] | None = None) -> Path:
    """The images as files of a folder, named by number or by `names`."""
    folder.mkdir(exist_ok=True)
    named = iter(names) if names is not None else (f"{i:03}.dcm" for i in range(10_000))
    for made in images:
        (folder / next(named)).write_bytes(encoded(made))
    return folder


def enhanced(pixels: Any, groups: list[Dataset], **attributes: Any) -> Dataset:
    """An enhanced MR image with these functional groups a frame, and shared orientation and spacing."""
    shared = item(
        PlaneOrientationSequence=sequence(ImageOrientationPatient=AXIAL),
        PixelMeasuresSequence=sequence(PixelSpacing=[0.5, 0.25], SliceThickness=2.5),
    )
    made = image(pixels, sop_class=ENHANCED_MR, Modality="MR")
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(made, keyword)
    made.SharedFunctionalGroupsSequence = Sequence([shared])
    made.PerFrameFunctionalGroupsSequence = Sequence(groups)
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def group(position: Any = None, **attributes: Any) -> Dataset:
    """The functional groups of a frame at `position`; attributes go to the Frame Content."""
    made = item(FrameContentSequence=sequence(**attributes))
    if position is not None:
        made.PlanePositionSequence = sequence(ImagePositionPatient=list(map(float, position)))
    return made


def ramp(frames: int, start: int = 0) -> np.ndarray:
    """(frames, 4, 5): each frame filled with its number from `start` on."""
    return np.broadcast_to(np.arange(start, start + frames, dtype=np.int16)[:, None, None], (frames, 4, 5)).copy()
