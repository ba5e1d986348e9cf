"""Frames read without dicomcore, and recipes of the de-identification set that burn text into them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from benches.deid_files import File, Maker
from benches.deid_people import Person, spellings

CODECS = {
    "1.2.840.10008.1.2.4.50": imagecodecs.jpeg8_decode,
    "1.2.840.10008.1.2.4.51": imagecodecs.jpeg8_decode,
    "1.2.840.10008.1.2.4.57": imagecodecs.ljpeg_decode,
    "1.2.840.10008.1.2.4.70": imagecodecs.ljpeg_decode,
    "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_decode,
    "1.2.840.10008.1.2.4.81": imagecodecs.jpegls_decode,
    "1.2.840.10008.1.2.4.90": imagecodecs.jpeg2k_decode,
    "1.2.840.10008.1.2.4.91": imagecodecs.jpeg2k_decode,
}


def frames_of(ds: Dataset) -> list[np.ndarray]:
    """The frames, channels last, in the colours that the codec gives."""
    syntax = str(ds.file_meta.TransferSyntaxUID)
    count = int(ds.get("NumberOfFrames", 1) or 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if syntax in CODECS:
            return [np.asarray(CODECS[syntax](one)) for one in generate_frames(ds.PixelData, number_of_frames=count)]
        decoder = get_decoder(UID(syntax))
        return [np.ascontiguousarray(decoder.as_array(ds, index=number, raw=True)[0]) for number in range(count)]


@cache
def font(size: int) -> Any:
    return ImageFont.load_default(size)


def draw(picture: np.ndarray, text: str, box: Iterable[int], size: int, level: int = 255) -> np.ndarray:
    """Text in a box of an 8-bit picture."""
    top, left, _, _ = box
    image = Image.fromarray(picture)
    fill = level if picture.ndim == 2 else (level,) * 3
    ImageDraw.Draw(image).text((left, top), text, fill=fill, font=font(size))
    return np.array(image)


def banner(who: Person) -> tuple[str, str]:
    return f"{who.latin.upper()} {who.latin_given}", f"ID {who.id} {spellings(who.birth)[0]}"


Box = tuple[int, int, int, int]


def write_text(who: Person, frame: np.ndarray, size: int = 18) -> tuple[np.ndarray, list[Box]]:
    """Two lines in the upper left of a frame of any depth; the boxes."""
    boxes: list[Box] = []
    mask = np.zeros(frame.shape[:2], np.uint8)
    for number, text in enumerate(banner(who)):
        left, top, right, bottom = (int(one) for one in font(size).getbbox(text))
        at = (8 + number * (size + 8), 8)
        mask = draw(mask, text, (*at, 0, 0), size)
        boxes.append((at[0] + top, at[1] + left, bottom - top, min(right - left, frame.shape[1] - at[1] - 1)))
    bright = float(frame.max()) if frame.dtype != np.uint8 else 255.0
    blend = mask[..., None] / 255.0 if frame.ndim == 3 else mask / 255.0
    return (frame * (1 - blend) + bright * blend).astype(frame.dtype), boxes


def burnt(m: Maker, who: Person, base: str, recipe: str, place: str, encode: Encoder | None) -> None:
    """Text burnt into every frame of a file, which is then encoded."""
    file = m.open(base, who, recipe)
    ds = file.ds
    frames = frames_of(ds)
    written = [write_text(who, frame) for frame in frames]
    boxes = written[0][1]
    pixels = [frame for frame, _ in written]
    store(file, pixels, encode)
    ds.BurnedInAnnotation = "YES"
    file.lines = [one for one in file.lines if one.action != "pixels_retained" and one.path != "00280004"]
    for box in boxes:
        file.line("pixels_hidden", place, "PixelData", box=box)
    rows, columns = frames[0].shape[:2]
    file.line("pixels_retained", place, box=(rows * 9 // 20, columns // 4, rows // 5, columns // 2))
    m.write(file)


Encoder = tuple[str, Callable[[np.ndarray], bytes] | None]


def store(file: File, frames: list[np.ndarray], encode: Encoder | None) -> None:
    """Frames put into a data set, native or encoded."""
    ds = file.ds
    if encode is None:
        data = b"".join(frame.tobytes() for frame in frames)
        ds.PixelData = data + b"\0" * (len(data) % 2)
        ds["PixelData"].VR = "OW" if ds.BitsAllocated > 8 else "OB"
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        if frames[0].ndim == 3:
            ds.PhotometricInterpretation, ds.PlanarConfiguration = "RGB", 0
        return
    syntax, codec = encode
    if codec is None:
        store(file, frames, None)
        ds.compress(syntax, generate_instance_uid=False)
        return
    ds.PixelData = encapsulate([codec(frame) for frame in frames])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = syntax
    if frames[0].ndim == 3:
        ds.PlanarConfiguration = 0


def jpeg(frame: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(frame, level=92, subsampling="444"))


def jpeg2000(frame: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(frame, codecformat="j2k", level=0, reversible=True))


def jpegls(frame: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpegls_encode(frame.view(f"u{frame.itemsize}")))


def burnt_native_us(m: Maker, who: Person) -> None:
    burnt(m, who, "examples_rgb_color.dcm", "burnt-us", "text in native pixels", None)


def burnt_native_ct(m: Maker, who: Person) -> None:
    burnt(m, who, "693_UNCR.dcm", "burnt-ct", "text in native pixels", None)


def burnt_rle(m: Maker, who: Person) -> None:
    burnt(m, who, "examples_overlay.dcm", "burnt-rle", "text in losslessly compressed pixels", (RLELossless, None))


def burnt_jpeg2000(m: Maker, who: Person) -> None:
    place = "text in losslessly compressed pixels"
    burnt(m, who, "examples_jpeg2k.dcm", "burnt-j2k", place, (JPEG2000Lossless, jpeg2000))


def burnt_jpegls(m: Maker, who: Person) -> None:
    burnt(m, who, "693_UNCR.dcm", "burnt-jls", "text in losslessly compressed pixels", (JPEGLSLossless, jpegls))


def burnt_jpeg(m: Maker, who: Person) -> None:
    burnt(m, who, "examples_rgb_color.dcm", "burnt-jpeg", "text in lossy pixels", (JPEGBaseline8Bit, jpeg))


def burnt_cine(m: Maker, who: Person) -> None:
    burnt(m, who, "examples_ybr_color.dcm", "burnt-cine", "text in every frame of a cine", (JPEGBaseline8Bit, jpeg))
