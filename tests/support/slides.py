"""Slides for tests and benches: pyramids of tiles, written by `FrameWriter` (PS3.3 A.32.8)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.building import build
from dicomcore.pixels.frame_writer import FrameWriter
from dicomcore.uids import generate_uid

__all__ = ["picture", "slide_data_set", "write_pyramid", "write_slide"]

SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


def picture(rows: int, columns: int, seed: int = 0) -> NDArray[np.uint8]:
    """A picture like stained tissue: smooth blobs, fine structure and a plain background, (rows, columns, 3)."""
    random = np.random.default_rng(seed)
    coarse = _smooth(random, rows, columns, 257)
    fine = _smooth(random, rows, columns, 23) * 0.7 + _smooth(random, rows, columns, 5) * 0.3
    tissue = np.clip((coarse - 0.45) * 6, 0, 1)
    stain = (tissue * (0.35 + 0.65 * fine))[..., None] * np.array([90, 160, 60], np.float32)
    return (np.array([240, 238, 243], np.float32) - stain).astype(np.uint8)


def _smooth(random: np.random.Generator, rows: int, columns: int, step: int) -> NDArray[np.float32]:
    grid = random.random((rows // step + 2, columns // step + 2), np.float32)
    y, x = np.arange(rows, dtype=np.float32) / step, np.arange(columns, dtype=np.float32) / step
    y0, x0 = y.astype(int), x.astype(int)
    dy, dx = (y - y0)[:, None], (x - x0)[None]
    top = grid[y0][:, x0] * (1 - dx) + grid[y0][:, x0 + 1] * dx
    low = grid[y0 + 1][:, x0] * (1 - dx) + grid[y0 + 1][:, x0 + 1] * dx
    return np.asarray(top * (1 - dy) + low * dy, np.float32)


def slide_data_set(
    rows: int, columns: int, tile: tuple[int, int], *, mm: float = 0.0005, flavour: str = "VOLUME", **attributes: Any
) -> Dataset:
    """The attributes of an image of a slide with RGB tiles; `attributes` come last."""
    plain = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY", flavour, "NONE"],
        "SOPClassUID": SLIDE,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": "1.2.3.4",
        "SeriesInstanceUID": "1.2.3.4.5",
        "FrameOfReferenceUID": "1.2.3.4.6",
        "PositionReferenceIndicator": "SLIDE_CORNER",
        "PatientName": "Slide^Made",
        "PatientID": "1",
        "Modality": "SM",
        "StudyDate": "20260101",
        "StudyTime": "120000",
        "AcquisitionDateTime": "20260101120000",
        "ContainerIdentifier": "C1",
        "DimensionOrganizationType": "TILED_FULL",
        "ImagedVolumeWidth": columns * mm,
        "ImagedVolumeHeight": rows * mm,
        "ImagedVolumeDepth": 1.0,
        "TotalPixelMatrixColumns": columns,
        "TotalPixelMatrixRows": rows,
        "TotalPixelMatrixFocalPlanes": 1,
        "TotalPixelMatrixOriginSequence": [
            {"XOffsetInSlideCoordinateSystem": 20.0, "YOffsetInSlideCoordinateSystem": 40.0}
        ],
        "ImageOrientationSlide": [0, -1, 0, -1, 0, 0],
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 0,
        "Rows": tile[0],
        "Columns": tile[1],
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
        "VolumetricProperties": "VOLUME",
        "FocusMethod": "AUTO",
        "ExtendedDepthOfField": "NO",
        "SpecimenLabelInImage": "NO",
        "NumberOfOpticalPaths": 1,
        "OpticalPathSequence": [optical_path("1")],
        "SharedFunctionalGroupsSequence": [
            {"PixelMeasuresSequence": [{"PixelSpacing": [mm, mm], "SliceThickness": 0.001}]}
        ],
    }
    return build(plain | attributes)


def optical_path(identifier: str, **attributes: Any) -> dict[str, Any]:
    brightfield = {
        "CodeValue": "111744",
        "CodingSchemeDesignator": "DCM",
        "CodeMeaning": "Brightfield illumination",
    }
    colour = {"CodeValue": "414298005", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Full Spectrum"}
    return {
        "OpticalPathIdentifier": identifier,
        "IlluminationTypeCodeSequence": [brightfield],
        "IlluminationColorCodeSequence": [colour],
    } | attributes


def tiles_of_picture(pixels: NDArray[Any], tile: tuple[int, int], edge: int = 0) -> list[NDArray[Any]]:
    """The tiles of a picture, row by row; `edge` fills what lies past it."""
    down, across = -(-pixels.shape[0] // tile[0]), -(-pixels.shape[1] // tile[1])
    whole = np.full((down * tile[0], across * tile[1], *pixels.shape[2:]), edge, pixels.dtype)
    whole[: pixels.shape[0], : pixels.shape[1]] = pixels
    rows = [np.split(row, across, axis=1) for row in np.split(whole, down)]
    return [np.ascontiguousarray(one) for row in rows for one in row]


def write_slide(
    path: Path,
    tiles: Sequence[NDArray[Any]],
    data_set: Dataset,
    *,
    transfer_syntax: str = "1.2.840.10008.1.2.1",
    quality: float | None = None,
) -> Path:
    """Write tiles in their order."""
    with FrameWriter(path, data_set, transfer_syntax=transfer_syntax, quality=quality, durable=False) as writer:
        for tile in tiles:
            writer.append(tile)
    return path


def write_pyramid(
    folder: Path, pixels: NDArray[np.uint8], tile: int, levels: int, *, mm: float = 0.0005, **options: Any
) -> list[NDArray[np.uint8]]:
    """Write `levels` levels of a picture, each of half the size; return their pictures."""
    pictures = []
    for number in range(levels):
        rows, columns = pixels.shape[:2]
        data_set = slide_data_set(rows, columns, (tile, tile), mm=mm * 2**number, InstanceNumber=number + 1)
        write_slide(folder / f"level{number}.dcm", tiles_of_picture(pixels, (tile, tile), 255), data_set, **options)
        pictures.append(pixels)
        half = pixels[: rows // 2 * 2, : columns // 2 * 2].astype(np.uint16)
        pixels = ((half[::2, ::2] + half[1::2, ::2] + half[::2, 1::2] + half[1::2, 1::2] + 2) // 4).astype(np.uint8)
    return pictures
