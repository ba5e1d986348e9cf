"""ICC profiles: colours of a picture brought into the colour space of the output by LittleCMS (PS3.3 C.11.15)."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, item_at, items_of, text_of
from dicomcore.dataset.state import header_of
from dicomcore.errors import ParseError
from dicomcore.notes import Note
from dicomcore.tags import Tag

__all__ = [
    "OUTPUTS",
    "converter",
    "managed",
    "matrix_profile",
    "needs_picture",
    "output_profile",
    "profile_fault",
    "profile_of",
]

OUTPUTS = ("srgb", "adobergb", "rommrgb", "displayp3", "none")
CLASSES = (b"scnr", b"mntr", b"spac", b"prtr")
KNOWN = {  # red, green and blue in XYZ relative to D50, and the exponent of their curves, None for the curve of sRGB
    "adobergb": (((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)), 563 / 256),
    "rommrgb": (((0.79767, 0.28804, 0.0), (0.13519, 0.71187, 0.0), (0.03135, 0.00009, 0.82491)), 1.8),
    "displayp3": (((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)), None),
}


def needs_picture(library: str) -> ModuleNotFoundError:
    """The error that names the extra with Pillow."""
    message = f'{library} needs Pillow; pip install "dicomcore[picture]" brings it'
    return ModuleNotFoundError(message, name="PIL")


def profile_fault(profile: bytes) -> str | None:
    """What is wrong with an input profile for RGB (PS3.3 C.11.15.1.1), in words; None if nothing is."""
    if len(profile) < 132 or profile[36:40] != b"acsp":
        return "it is no ICC profile"
    (size,) = struct.unpack(">I", profile[:4])
    if not 132 <= size <= len(profile):
        return f"it says {size} bytes and has {len(profile)}"
    kind, space, connection = profile[12:16], profile[16:20], profile[20:24]
    if kind not in CLASSES:
        return f"its class is {kind.decode('latin-1')!r}, and no input profile"
    if space != b"RGB ":
        return f"its colour space is {space.decode('latin-1')!r}, not RGB"
    if connection not in (b"XYZ ", b"Lab "):
        return f"its connection space is {connection.decode('latin-1')!r}, neither XYZ nor Lab"
    return None


def profile_of(image: Dataset, frame: int = 0) -> bytes | str | None:
    """The profile of an image's colours: its bytes, the name of a well-known space, or None.

    A frame of a slide has the profile of its optical path.
    """
    header = header_of(image)
    profile = header.get("ICCProfile")
    if not isinstance(profile, bytes):
        path = _optical_path(header, frame)
        profile = None if path is None else path.get("ICCProfile")
        header = header if path is None else path
    if isinstance(profile, bytes) and profile:
        return profile
    space = (text_of(header, "ColorSpace") or "").strip().lower()
    return space if space in OUTPUTS[:-1] else None


def _optical_path(header: Dataset, frame: int) -> Dataset | None:
    paths = items_of(header, "OpticalPathSequence")
    if len(paths) < 2:
        return paths[0] if paths else None
    groups = item_at(header, "PerFrameFunctionalGroupsSequence", frame)
    shared = first_item(header, "SharedFunctionalGroupsSequence")
    for place in (groups, shared):
        own = None if place is None else first_item(place, "OpticalPathIdentificationSequence")
        name = None if own is None else text_of(own, "OpticalPathIdentifier")
        for path in paths:
            if name is not None and text_of(path, "OpticalPathIdentifier") == name:
                return path
    return paths[0]


def managed(
    picture: NDArray[np.uint8], source: bytes | str | None, target: str | bytes | None, notes: list[Note]
) -> NDArray[np.uint8]:
    """Bring colours, (rows, columns, 3), from one colour space into another.

    Parameters
    ----------
    picture : NDArray of uint8
        RGB.
    source : bytes or str, optional
        An input profile, or "srgb", "adobergb", "rommrgb", "displayp3". None, and a profile that cannot be used,
        stand for sRGB.
    target : str or bytes, optional
        An output profile, or one of these names; None or "none" leaves the colours as they are.
    notes : list
        Receives what was assumed.

    Raises
    ------
    ValueError
        The target is no profile for RGB.
    ModuleNotFoundError
        Pillow is not installed.
    """
    if target is None or target == "none":
        return picture
    if isinstance(target, bytes) and (fault := profile_fault(target)) is not None:
        raise ValueError(f"the profile of the output cannot be used: {fault}")
    source = _usable(source, notes)
    if source == target:
        return picture
    transform = _transform(source, target)
    if transform is None:
        notes.append(Note("icc-profile", "the ICC profile cannot be read by LittleCMS: sRGB is assumed"))
        transform = None if target == "srgb" else _transform("srgb", target)
        if transform is None:
            return picture
    from PIL import Image

    done = transform.apply(Image.fromarray(np.ascontiguousarray(picture)))
    return np.asarray(done, np.uint8)


def _usable(source: bytes | str | None, notes: list[Note]) -> bytes | str:
    if source is None:
        notes.append(Note("no-icc-profile", "the colours have no ICC profile: sRGB is assumed"))
        return "srgb"
    if isinstance(source, str):
        return source
    fault = profile_fault(source)
    if fault is not None:
        notes.append(Note("icc-profile", f"the ICC profile cannot be used, {fault}: sRGB is assumed"))
        return "srgb"
    if source[12:16] != b"scnr":
        kind = source[12:16].decode("latin-1")
        notes.append(Note("icc-class", f"the ICC profile's class is {kind!r}, not input ('scnr'); it is used"))
    return source


class _Keyed:
    """A profile as the key of a cache, by its digest."""

    def __init__(self, profile: bytes | str) -> None:
        self.profile = profile
        self.key = profile if isinstance(profile, str) else hashlib.sha256(profile).digest()

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and self.key == other.key


def _transform(source: bytes | str, target: bytes | str) -> Any:
    """LittleCMS' transform; None if it cannot read a profile."""
    return _built(_Keyed(source), _Keyed(target))


@lru_cache(maxsize=16)
def _built(source: _Keyed, target: _Keyed) -> Any:
    try:
        from PIL import ImageCms
    except ImportError:
        raise needs_picture("colour management") from None

    intent = 0
    if isinstance(source.profile, bytes):
        intent = min(struct.unpack(">I", source.profile[64:68])[0], 4) % 4
    try:
        first, second = (_opened(ImageCms, one.profile) for one in (source, target))
        return ImageCms.buildTransform(first, second, "RGB", "RGB", ImageCms.Intent(intent))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _opened(cms: Any, profile: bytes | str) -> Any:
    if profile == "srgb":
        return cms.ImageCmsProfile(cms.createProfile("sRGB"))
    data = matrix_profile(*KNOWN[profile]) if isinstance(profile, str) else profile
    return cms.ImageCmsProfile(io.BytesIO(data))


def output_profile(name: str) -> bytes:
    """The ICC profile of a well-known colour space. Pillow is needed."""
    try:
        from PIL import ImageCms
    except ImportError:
        raise needs_picture("colour management") from None
    return bytes(_opened(ImageCms, name).tobytes())


def matrix_profile(primaries: Any, exponent: float | None) -> bytes:
    """Make an ICC profile of a colour space from the XYZ values of its primaries and the exponent of its curves.

    None stands for the curve of sRGB (IEC 61966-2-1).
    """

    def fixed(*numbers: float) -> bytes:
        return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))

    white = b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.82491)
    if exponent is None:
        curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    else:
        curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(exponent * 256), 0)
    text = b"desc\0\0\0\0" + struct.pack(">I", 4) + b"RGB\0" + bytes(78 + 2)
    right = b"text\0\0\0\0none\0\0\0\0"
    tags = [(b"desc", text), (b"cprt", right), (b"wtpt", white)]
    for letter, xyz in zip("rgb", primaries, strict=True):
        tags.append((f"{letter}XYZ".encode(), b"XYZ \0\0\0\0" + fixed(*xyz)))
        tags.append((f"{letter}TRC".encode(), curve))
    start = 132 + 12 * len(tags)
    table, body = b"", b""
    for name, data in tags:
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4s", start + len(body), b"\0" * 4, 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"", b"acsp"
    )
    head = head.ljust(68, b"\0") + fixed(0.9642, 1.0, 0.82491)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def converter(
    profile: bytes, to: str | bytes = "srgb", *, notes: list[Note] | None = None
) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Return a function that brings pictures, (rows, columns, 3), from a profile's colour space into another.

    Several threads may call it at once. Raises ParseError if the profile is none for RGB input.
    """
    found: list[Note] = []
    fault = profile_fault(profile)
    if fault is not None or _transform(_usable(profile, found), to) is None:
        said = fault or "LittleCMS does not read it"
        raise ParseError(f"the ICC profile (0028,2000) cannot be used: {said}", tag=int(Tag("ICCProfile")))
    if notes is not None:
        notes.extend(found)
    return lambda picture: managed(picture, profile, to, [])
