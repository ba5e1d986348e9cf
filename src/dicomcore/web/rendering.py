"""How something is rendered (PS3.18 8.3.5): the parameters of a request, and what one instance becomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import number_of, text_of
from dicomcore.display import read_state, render
from dicomcore.display.icc import OUTPUTS, managed, output_profile, profile_fault, profile_of
from dicomcore.display.states import KINDS
from dicomcore.errors import DicomError
from dicomcore.objects.documents import extract
from dicomcore.part10.reader import dcmread
from dicomcore.sr import html, outline, read
from dicomcore.syntaxes import syntax_of
from dicomcore.web.media import ANY, MediaRange
from dicomcore.web.node import Node
from dicomcore.web.pictures import Picture, animated, annotated, encoded, fitted, has_pillow
from dicomcore.web.problems import Problem, reason
from dicomcore.web.views import ANNOTATIONS, View

__all__ = ["Part", "category_of", "render_one", "shown_by_state"]

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/jp2")
TEXTS = ("text/html", "text/plain")
PROFILED = ("image/jpeg", "image/png")


class Part(NamedTuple):
    """Something rendered: its media type and its bytes."""

    media: str
    data: bytes


def category_of(ds: Dataset, syntax: str) -> str:
    """What an instance is (PS3.18 8.7.2): state, document, video, text, image, or empty for none of them."""
    if (text_of(ds, "SOPClassUID") or "") in KINDS:
        return "state"
    if "EncapsulatedDocument" in ds:
        return "document"
    if syntax_of(syntax).video:
        return "video"
    if "PixelData" in ds or "FloatPixelData" in ds or "DoubleFloatPixelData" in ds:
        return "image"
    return "text" if "ContentSequence" in ds else ""


def _taken(ranges: Sequence[MediaRange], made: Sequence[str], *, parts: bool | None = None) -> str:
    """The first of what is made that the client takes; Problem 406 if there is none."""
    for one in ranges:
        if parts is not None and one.media != ANY and one.is_multipart != parts:
            continue
        for media in made:
            if one.takes(media):
                return media
    raise Problem(406, f"this resource is rendered as {', '.join(made)}")


def render_one(
    node: Node, entry: Any, view: View, ranges: Sequence[MediaRange], numbers: Sequence[int] | None, *, whole: bool
) -> Iterator[Part]:
    """An instance, or some of its frames, as parts. `whole` asks for one part: an animation, or the main frame.

    Problem 406 if the client takes nothing that can be made.
    """
    try:
        ds = dcmread(node.catalogue.source(entry), limits=node.reading, force=True)
    except FileNotFoundError:
        raise Problem(410, "the file of an instance is gone") from None
    kind = category_of(ds, entry.transfer_syntax)
    if numbers is not None and kind in ("state", "document", "text"):
        raise Problem(404, "the instance has no frames")
    if kind == "state":
        yield _by_state(node, ds, view, ranges)
    elif kind == "document":
        yield _document(ds, ranges)
    elif kind == "text":
        yield _text(ds, ranges)
    elif kind == "video" and numbers is None:
        yield _video(ds, entry.transfer_syntax, ranges)
    elif kind:
        yield from _pictures(node, ds, view, ranges, numbers, whole)
    else:
        raise Problem(406, "instances of this SOP class are not rendered")


def _by_state(node: Node, ds: Dataset, view: View, ranges: Sequence[MediaRange]) -> Part:
    """What a presentation state shows, of the images that it refers to."""
    if view.window is not None or view.region != (None, None, None, None):
        raise Problem(400, "a presentation state has a window and a region of its own")
    media = _taken(ranges, IMAGES)
    uids = _referenced(ds)
    found = [one for uid in uids for one in node.catalogue.instances(instance=uid)]
    if not found:
        raise Problem(404, "the images that the presentation state refers to are not here")
    return Part(media, shown_by_state(node, found, ds, view, media))


def _referenced(ds: Dataset) -> list[str]:
    """The images that a presentation state refers to."""
    try:
        return [str(uid) for uid in read_state(ds).images]
    except DicomError as error:
        raise Problem(406, f"the presentation state cannot be applied: {reason(error)}") from None


def shown_by_state(
    node: Node, entries: Sequence[Any], state: Dataset, view: View, media: str, number: int = 1
) -> bytes:
    """Images as a presentation state shows them, as a file. A `region` of the view is in parts of the picture."""
    _check_profile(view, media)
    space = view.profile if view.profile in OUTPUTS else "srgb"
    try:
        made: Picture = render([node.catalogue.source(one) for one in entries], state, frame=number - 1, profile=space)
    except IndexError:
        raise Problem(404, f"the image has no frame {number}") from None
    except DicomError as error:
        raise Problem(406, f"the presentation state cannot be applied: {reason(error)}") from None
    if made.shape[0] * made.shape[1] > node.limits.rendered_pixels:
        raise Problem(413, f"a picture of more than {node.limits.rendered_pixels} pixels")
    rows, columns = made.shape[:2]
    left, top, width, height = view.region
    if left is not None and top is not None and width is not None and height is not None:
        pixels = left * columns, top * rows, width * columns, height * rows
        made = _region(made, replace(view, region=pixels))
    picture, profile = _managed(made, space, view)
    if view.viewport is not None:
        picture = fitted(picture, *view.viewport)
    if view.annotations:
        picture = _with_lines(
            picture, dcmread(node.catalogue.source(entries[0]), limits=node.reading, force=True), view
        )
    return encoded(picture, media, view.quality, profile)


def _document(ds: Dataset, ranges: Sequence[MediaRange]) -> Part:
    found = extract(ds)
    media = _taken(ranges, [found.mime_type.lower() or "application/octet-stream"])
    if media in ("text/html", "application/xhtml+xml", "image/svg+xml"):
        media = "application/octet-stream"  # what may run scripts is no page of this server
    return Part(media, found.data)


def _text(ds: Dataset, ranges: Sequence[MediaRange]) -> Part:
    media = _taken(ranges, TEXTS)
    report = read(ds)
    if media == "text/html":
        return Part("text/html; charset=utf-8", html(report.root, ds).encode())
    return Part("text/plain; charset=utf-8", ("\n".join(outline(report.root)) + "\n").encode())


def _video(ds: Dataset, syntax: str, ranges: Sequence[MediaRange]) -> Part:
    mpeg = syntax_of(syntax).video == "mpeg2video"
    media = _taken(ranges, ["video/mpeg2" if mpeg else "video/mp4"])
    return Part("video/mpeg" if mpeg else media, bytes(ds.frames.encoded(0)))


def _pictures(
    node: Node, ds: Dataset, view: View, ranges: Sequence[MediaRange], numbers: Sequence[int] | None, whole: bool
) -> Iterator[Part]:
    try:
        frames = ds.frames
        count = len(frames)
    except DicomError as error:
        raise Problem(406, f"the frames cannot be rendered: {reason(error)}") from None
    media = _taken(ranges, IMAGES)
    chosen = list(numbers) if numbers is not None else list(range(1, count + 1))
    if chosen and max(chosen) > count:
        raise Problem(404, f"the instance has {count} frames, and no frame {max(chosen)}")
    if whole and len(chosen) > 1 and media != "image/gif":
        main = number_of(ds, "RepresentativeFrameNumber", 1)
        chosen = [main if isinstance(main, int) and 1 <= main <= count else 1]
    if len(chosen) > node.limits.rendered_frames:
        raise Problem(413, f"more than {node.limits.rendered_frames} pictures in one answer")
    _check_profile(view, media)
    pictures = (_picture(node, ds, view, number) for number in chosen)
    if whole and media == "image/gif" and len(chosen) > 1:
        yield Part(media, animated([one for one, _ in pictures], number_of(ds, "FrameTime", 100) or 100))
        return
    for one, profile in pictures:
        yield Part(media, encoded(one, media, view.quality, profile))


def _picture(node: Node, ds: Dataset, view: View, number: int) -> tuple[Picture, bytes | None]:
    description = ds.frames.description
    if description.rows * description.columns > node.limits.rendered_pixels:
        raise Problem(413, f"a picture of more than {node.limits.rendered_pixels} pixels")
    try:
        picture = ds.frames.render(number - 1, window=view.window)
    except DicomError as error:
        raise Problem(406, f"frame {number} cannot be rendered: {reason(error)}") from None
    picture, profile = _managed(_region(picture, view), profile_of(ds, number - 1), view)
    if view.viewport is not None:
        if view.viewport[0] * view.viewport[1] > node.limits.rendered_pixels:
            raise Problem(413, f"a picture of more than {node.limits.rendered_pixels} pixels")
        picture = fitted(picture, *view.viewport)
    return _with_lines(picture, ds, view), profile


def _with_lines(picture: Picture, ds: Dataset, view: View) -> Picture:
    """A picture with the annotations that are asked for."""
    lines = [text for name in view.annotations for key in ANNOTATIONS[name] if (text := _line(ds, key))]
    return annotated(picture, lines) if lines else picture


def _line(ds: Dataset, keyword: str) -> str:
    text = text_of(ds, keyword) or ""
    return "".join(one if one.isprintable() else " " for one in text)


def _region(picture: Picture, view: View) -> Picture:
    left, top, width, height = view.region
    if view.region == (None, None, None, None):
        return picture
    rows, columns = picture.shape[:2]
    x, y = abs(left or 0), abs(top or 0)
    right = columns if width is None else x + abs(width)
    bottom = rows if height is None else y + abs(height)
    cut = picture[int(y) : max(int(min(bottom, rows)), 0), int(x) : max(int(min(right, columns)), 0)]
    if not cut.size:
        raise Problem(400, "viewport shows a region outside of the picture")
    cut = cut[:, ::-1] if width is not None and width < 0 else cut
    cut = cut[::-1] if height is not None and height < 0 else cut
    return np.ascontiguousarray(cut)


def _check_profile(view: View, media: str) -> None:
    """Problem 400 where a profile is asked for in a format that has none."""
    if view.profile in ("", "no"):
        return
    if media not in PROFILED:
        raise Problem(400, f"{media} has no ICC profile here; iccprofile=no is left")
    if not has_pillow():
        raise Problem(400, "colours are not managed here; iccprofile=no is left")


def _managed(picture: Picture, own: bytes | str | None, view: View) -> tuple[Picture, bytes | None]:
    """A picture in the colour space that is asked for, with its profile; grey values become colours (PS3.18 8.3.5.1.5).

    Colours whose profile is missing or damaged count as sRGB.
    """
    if view.profile in ("", "no"):
        return picture, None
    is_grey = picture.ndim == 2
    usable = "srgb" if is_grey or own is None or (isinstance(own, bytes) and profile_fault(own)) else own
    if is_grey:
        picture = np.repeat(picture[..., None], 3, axis=2)
    target = usable if view.profile == "yes" else view.profile
    if isinstance(target, bytes):
        return picture, target
    return managed(picture, usable, target, []), output_profile(target)
