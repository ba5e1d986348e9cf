"""Parameters of rendered answers (PS3.18 8.3.5)."""

from __future__ import annotations

from dataclasses import dataclass

from dicomcore.display.rendering import Window
from dicomcore.web.pictures import has_pillow
from dicomcore.web.problems import Problem
from dicomcore.web.requests import Request

__all__ = ["ANNOTATIONS", "View", "read_annotation", "read_number", "read_quality", "read_size", "read_view"]

SHAPES = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
ANNOTATIONS = {
    "patient": ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    "technique": ("StudyDate", "Modality", "SeriesNumber", "InstanceNumber", "SeriesDescription", "ImageType"),
}
PROFILES = frozenset({"no", "yes", "srgb", "adobergb", "rommrgb", "displayp3"})
LARGEST = 1 << 15  # rows or columns of a viewport


@dataclass(slots=True)
class View:
    """How pictures are made: the parameters of a request."""

    viewport: tuple[int, int] | None = None
    region: tuple[float | None, float | None, float | None, float | None] = (None, None, None, None)
    """Left, top, width and height of what is shown, in pixels; a negative size flips."""
    window: Window | None = None
    quality: int | None = None
    annotations: tuple[str, ...] = ()
    profile: str = ""
    """"no", "yes" for that of the image, or the name of a colour space; empty if nothing is asked."""
    warnings: tuple[str, ...] = ()


def read_number(text: str, name: str) -> float:
    try:
        value = float(text) if len(text) <= 32 else float("nan")
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e15:
        raise Problem(400, f"{name} has {text[:32]!r}, which is no number")
    return value


def read_size(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= LARGEST:
        raise Problem(400, f"{name} has {text[:32]!r}, which is no size from 1 to {LARGEST}")
    return int(text)


def read_view(request: Request, *, is_thumbnail: bool = False) -> View:
    """The parameters of a request; Problem 400 for what is wrong with them."""
    view = View()
    text = request.parameter("viewport")
    if text is not None:
        read_viewport(view, text, is_thumbnail)
    if is_thumbnail:
        return view
    text = request.parameter("window")
    if text is not None:
        view.window = read_window(text)
    text = request.parameter("quality")
    if text is not None:
        view.quality = read_quality(text)
    text = request.parameter("annotation")
    if text is not None:
        read_annotation(view, text)
    text = request.parameter("iccprofile")
    if text is not None:
        if text.strip().lower() not in PROFILES:
            raise Problem(400, f"iccprofile is one of {', '.join(sorted(PROFILES))}, not {text[:32]!r}")
        view.profile = text.strip().lower()
    return view


def read_viewport(view: View, text: str, is_thumbnail: bool) -> None:
    pieces = [piece.strip() for piece in text.split(",")]
    if not 2 <= len(pieces) <= (2 if is_thumbnail else 6):
        raise Problem(400, "viewport is width and height" + ("" if is_thumbnail else ", and a region of the source"))
    view.viewport = read_size(pieces[0], "viewport"), read_size(pieces[1], "viewport")
    given = [read_number(piece, "viewport") if piece else None for piece in pieces[2:]]
    left, top, width, height = (given[at] if at < len(given) else None for at in range(4))
    if width == 0 or height == 0:
        raise Problem(400, "viewport shows a region without a size")
    view.region = left, top, width, height


def read_window(text: str) -> Window:
    pieces = [piece.strip() for piece in text.split(",")]
    if len(pieces) != 3 or pieces[2].lower() not in SHAPES:
        raise Problem(400, f"window is a center, a width and one of {', '.join(SHAPES)}")
    width = read_number(pieces[1], "window")
    if width <= 0:
        raise Problem(400, "window has a width that is not above 0")
    return Window(read_number(pieces[0], "window"), width, SHAPES[pieces[2].lower()])


def read_quality(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 100:
        raise Problem(400, f"quality is a number from 1 to 100, not {text[:32]!r}")
    return int(text)


def read_annotation(view: View, text: str) -> None:
    names = [piece.strip() for piece in text.split(",")]
    if not all(name.isascii() and name.replace("-", "").isalnum() for name in names):
        raise Problem(400, "annotation is a list of keywords: patient, technique")
    unknown = [name for name in names if name not in ANNOTATIONS or not has_pillow()]
    view.annotations = tuple(name for name in names if name not in unknown)
    if unknown:
        view.warnings += (f"The following annotation values are not supported: {', '.join(unknown)}",)
