"""make_capture: make a secondary capture of pictures (PS3.3 A.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.building import Plain
from dicomcore.dataset.lookup import text_of
from dicomcore.objects.modules import new_object, reference_to, set_attributes

__all__ = ["make_capture"]

SINGLE = "1.2.840.10008.5.1.4.1.1.7"
SEVERAL = {1: "1.2.840.10008.5.1.4.1.1.7.2", 3: "1.2.840.10008.5.1.4.1.1.7.4"}  # grayscale byte, true colour


def make_capture(
    pictures: NDArray[np.uint8] | Sequence[NDArray[np.uint8]],
    sources: Dataset | Sequence[Dataset] = (),
    *,
    frame_time: float = 100.0,
    burned_in: bool = True,
    attributes: Mapping[str, Any] | None = None,
) -> Dataset:
    """Make a secondary capture, ready to be saved.

    Parameters
    ----------
    pictures : array or sequence of arrays
        Pictures of one size, 8 bits: (rows, columns) in grey, or (rows, columns, 3) in colour. Several make an object
        of several frames.
    sources : Dataset or sequence of Dataset
        What the pictures show: patient and study are those of the first, and all are referenced.
    frame_time : float
        Milliseconds from one of several frames to the next.
    burned_in : bool
        Whether the pictures may have text that identifies the patient (Burned In Annotation).
    attributes : mapping, optional
        More attributes by keyword. They are set last.

    Returns
    -------
    Dataset
        The secondary capture.

    Raises
    ------
    ValueError
        There is no picture, or the pictures differ in size or colour.
    """
    frames = [pictures] if isinstance(pictures, np.ndarray) else list(pictures)
    if not frames or any(not picture.size for picture in frames):
        raise ValueError("a secondary capture needs a picture with pixels")
    if {picture.dtype for picture in frames} != {np.dtype(np.uint8)} or len({picture.shape for picture in frames}) > 1:
        raise ValueError("the pictures of a secondary capture have 8 bits and one size")
    shape = frames[0].shape
    samples = shape[2] if len(shape) == 3 else 1
    if len(shape) not in (2, 3) or samples not in (1, 3):
        raise ValueError(f"a picture is (rows, columns) or (rows, columns, 3), not {shape}")
    shown = [sources] if isinstance(sources, Dataset) else list(sources)
    several = len(frames) > 1
    capture = new_object(shown[0] if shown else None, SEVERAL[samples] if several else SINGLE, "OT")
    plain = _image(shape, samples, burned_in) | _lossy(shown)
    if several:
        plain |= _multi_frame(len(frames), samples, frame_time)
    references = [reference_to(image) for image in shown if text_of(image, "SOPInstanceUID")]
    if references:
        plain["SourceImageSequence"] = references
    set_attributes(capture, plain)
    data = b"".join(np.ascontiguousarray(picture).tobytes() for picture in frames)
    capture.add_new("PixelData", "OB", data + b"\0" * (len(data) % 2))
    return set_attributes(capture, attributes)


def _image(shape: tuple[int, ...], samples: int, burned_in: bool) -> Plain:
    """Return the attributes of General Image, Image Pixel and SC Equipment."""
    plain: Plain = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["DERIVED", "SECONDARY"],
        "ConversionType": "WSD",
        "PatientOrientation": "",
        "Laterality": "",
        "BurnedInAnnotation": "YES" if burned_in else "NO",
        "SamplesPerPixel": samples,
        "PhotometricInterpretation": "RGB" if samples == 3 else "MONOCHROME2",
        "Rows": shape[0],
        "Columns": shape[1],
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
    }
    return plain | ({"PlanarConfiguration": 0} if samples == 3 else {})


def _multi_frame(frames: int, samples: int, frame_time: float) -> Plain:
    """Return the attributes of Multi-frame, Cine and SC Multi-frame Image."""
    if not frame_time > 0:
        raise ValueError(f"a frame time is more than 0 ms, not {frame_time}")
    plain: Plain = {"NumberOfFrames": frames, "FrameIncrementPointer": 0x00181063, "FrameTime": float(frame_time)}
    if samples == 1:
        plain |= {"PresentationLUTShape": "IDENTITY", "RescaleIntercept": 0, "RescaleSlope": 1, "RescaleType": "US"}
    return plain


def _lossy(shown: list[Dataset]) -> Plain:
    """Return what is said of lossy compression: what was lossy stays so."""
    lossy = next((image for image in shown if text_of(image, "LossyImageCompression") == "01"), None)
    if lossy is None:
        return {}
    plain: Plain = {"LossyImageCompression": "01"}
    for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        if lossy.get(keyword):
            plain[keyword] = lossy[keyword].value
    return plain
