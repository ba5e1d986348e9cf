"""Rendered resources and thumbnails (PS3.18 10.4.1.1.3, 10.4.1.1.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dicomcore.errors import DicomError
from dicomcore.part10.reader import dcmread
from dicomcore.syntaxes import syntax_of
from dicomcore.web.media import ANY, MediaRange
from dicomcore.web.multipart import PartWriter
from dicomcore.web.node import Node
from dicomcore.web.pictures import Picture, encoded, fitted
from dicomcore.web.problems import Problem, reason
from dicomcore.web.rendering import Part, category_of, render_one
from dicomcore.web.requests import Reply, Request
from dicomcore.web.retrieve import entries_of
from dicomcore.web.routes import Target
from dicomcore.web.sending import batched
from dicomcore.web.views import View, read_view

__all__ = ["rendered", "single_picture", "thumbnail"]

THUMBNAIL = (128, 128)
FORMATS = ("image/jpeg", "image/png", "image/gif", "image/jp2")
GREY, WHITE = 96, 224


async def rendered(request: Request, target: Target) -> Reply:
    """Answer a request for something rendered."""
    view = read_view(request)
    return await request.node.work(_rendered, request, target, view)


async def thumbnail(request: Request, target: Target) -> Reply:
    """Answer a request for a thumbnail."""
    view = read_view(request, is_thumbnail=True)
    view.viewport = view.viewport or THUMBNAIL
    return await request.node.work(_thumbnail, request, target, view)


def _rendered(request: Request, target: Target, view: View) -> Reply:
    entries = entries_of(request, target)
    ranges = request.accepted
    headers = [("warning", f"299 {request.base}: {text}") for text in view.warnings]
    numbers = target.frames or None
    if target.instance:
        single = _wants_single(ranges, entries[0], numbers)
        parts = render_one(request.node, entries[0], view, ranges, numbers, whole=single)
    else:
        single = False
        parts = _all_of(request.node, entries, view, ranges)
    first = next(parts, None)
    if first is None:
        raise Problem(406, "nothing of this resource is rendered as what is asked for")
    if single:
        return Reply(200, first.media, first.data, headers)
    writer = PartWriter(first.media.partition(";")[0])
    return Reply(200, writer.content_type, headers=headers, stream=batched(_with_heads(writer, first, parts)))


def _wants_single(ranges: Sequence[MediaRange], entry: Any, numbers: Sequence[int] | None) -> bool:
    """Whether the answer is one part: if the client takes that, or there is only one."""
    if numbers is not None and len(numbers) > 1:
        return False
    best = ranges[0] if ranges else MediaRange(ANY)
    if best.media == ANY and not best.is_multipart and numbers is None:
        return (entry.frames or 1) <= 1 or bool(syntax_of(entry.transfer_syntax).video)
    return not best.is_multipart


def _all_of(node: Node, entries: Sequence[Any], view: View, ranges: Sequence[MediaRange]) -> Iterator[Part]:
    """All instances that can be rendered; the others of a series do not cost these."""
    count = 0
    for entry in entries:
        try:
            for part in render_one(node, entry, view, ranges, None, whole=False):
                count += 1
                if count > node.limits.rendered_frames:
                    raise Problem(413, f"more than {node.limits.rendered_frames} pictures in one answer")
                yield part
        except Problem as problem:
            if problem.status != 406:
                raise


def _with_heads(writer: PartWriter, first: Part, rest: Iterator[Part]) -> Iterator[bytes]:
    yield writer.head(first.media) + first.data
    for part in rest:
        yield writer.head(part.media) + part.data
    yield writer.tail()


def single_picture(node: Node, entry: Any, view: View, ranges: Sequence[MediaRange], number: int | None) -> Part:
    """An instance or one of its frames as one part."""
    return next(render_one(node, entry, view, ranges, None if number is None else [number], whole=True))


def _thumbnail(request: Request, target: Target, view: View) -> Reply:
    entries = entries_of(request, target)
    media = next((media for one in request.accepted for media in FORMATS if one.takes(media)), None)
    if media is None:
        raise Problem(406, f"thumbnails are {', '.join(FORMATS)}")
    entry = entries[len(entries) // 2]
    assert view.viewport is not None
    try:
        picture = _small(request.node, entry, view, target.frames)
    except DicomError as error:
        raise Problem(406, f"the frame cannot be rendered: {reason(error)}") from None
    return Reply(200, media, encoded(picture, media))


def _small(node: Node, entry: Any, view: View, numbers: Sequence[int]) -> Picture:
    """A picture of an instance; of what is none, a sheet of paper: a thumbnail shows no text (PS3.18 10.4.1.1.4)."""
    assert view.viewport is not None
    try:
        ds = dcmread(node.catalogue.source(entry), limits=node.reading, force=True)
    except FileNotFoundError:
        raise Problem(410, "the file of an instance is gone") from None
    if category_of(ds, entry.transfer_syntax) != "image":
        return fitted(_sheet(), *view.viewport)
    count = len(ds.frames)
    number = numbers[0] if numbers else count // 2 + 1
    if number > count:
        raise Problem(404, f"the instance has {count} frames, and no frame {number}")
    description = ds.frames.description
    if description.rows * description.columns > node.limits.rendered_pixels:
        raise Problem(413, f"a picture of more than {node.limits.rendered_pixels} pixels")
    return fitted(ds.frames.render(number - 1), *view.viewport)


def _sheet() -> Picture:
    """A sheet of paper with lines."""
    picture = np.full((128, 128), 0, np.uint8)
    picture[16:112, 28:100] = WHITE
    for row in range(28, 104, 12):
        picture[row : row + 3, 38:90] = GREY
    return picture
