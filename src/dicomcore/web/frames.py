"""Frames (PS3.18 10.4.1.1.6): found by their offsets, and sent as they lie unless the client asks otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError
from dicomcore.part10.reader import dcmread
from dicomcore.pixels.frames import Frames
from dicomcore.pixels.native_frames import NativeFrames
from dicomcore.syntaxes import NATIVE, syntax_of
from dicomcore.transcoding import transcode
from dicomcore.web.choices import EXPLICIT, Choice, choose_frames, frame_choices, plain_syntax
from dicomcore.web.multipart import PartWriter
from dicomcore.web.node import Node
from dicomcore.web.problems import Problem, reason
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target
from dicomcore.web.sending import WHOLE, Span, batched, open_file, read_spans, span_reply

__all__ = ["Stored", "frame_parts", "frames", "stored_of"]

TOGETHER = 8
"""Frames that are transcoded at once."""


class Stored:
    """The frames of an instance: its open file, and where they lie in it."""

    def __init__(self, node: Node, entry: Any, changed: int) -> None:
        self.entry, self.changed = entry, changed
        self._node = node
        self.file = open_file(node.catalogue.source(entry))
        self.syntax = str(entry.transfer_syntax)
        row = syntax_of(self.syntax)
        self._lies = not row.deflated and not row.big_endian_pixels
        self._places: Any = None
        self._data_set: Dataset | None = None
        if self._lies:
            try:
                self._places = node.catalogue.frames(entry)
            except DicomError:  # frames of single bits that begin inside bytes, or a last one that breaks off
                self._lies = False
        if self._lies:
            self.count = len(self._places)
            self._lies = self._places.is_encapsulated or self.syntax in NATIVE
        else:
            self.count = len(self.frames)
        self.label = plain_syntax(self.syntax)
        self.heads: dict[str, str] = {}

    def is_of(self, entry: Any) -> bool:
        """Whether these are still the frames of an instance."""
        return bool(self.entry == entry)

    @property
    def frames(self) -> Frames:
        """The frames, to be decoded."""
        return self.data_set.frames

    @property
    def data_set(self) -> Dataset:
        """The data set of the instance."""
        if self._data_set is None:
            source = self._node.catalogue.source(self.entry)
            self._data_set = dcmread(source, limits=self._node.reading, force=True)
        return self._data_set

    def spans(self, index: int) -> Sequence[Span] | None:
        """Where a frame lies in the file; None if its bytes do not lie there as they are sent."""
        return tuple(self._places.spans(index)) if self._lies else None

    def tag(self, numbers: Sequence[int], choice: Choice) -> str:
        """The entity tag of some frames."""
        which = ",".join(map(str, numbers)) if len(numbers) <= 8 else str(hash(tuple(numbers)))
        return f'"{self.file.tag}-{which}-{choice.transfer_syntax}-{int(choice.is_multipart)}"'


def stored_of(node: Node, target: Target) -> Stored:
    """The frames of an instance, kept from an earlier request if they are still the same."""
    key = target.study, target.series, target.instance
    changed = node.catalogue.changed
    kept: Stored | None = node.places.get(key)
    if kept is not None and kept.changed == changed:
        return kept
    entries = node.catalogue.instances(**target.uids)
    if not entries:
        raise Problem(404, "there is no such instance")
    if kept is not None and kept.is_of(entries[0]):
        kept.changed = changed
        return kept
    try:
        made = Stored(node, entries[0], changed)
    except FileNotFoundError:
        raise Problem(410, "the file of the instance is gone") from None
    except DicomError as error:
        raise Problem(404, f"the instance has no frames: {reason(error)}") from None
    node.places.put(key, made)
    return made


async def frames(request: Request, target: Target) -> Reply:
    """Answer a request for frames."""
    node = request.node
    numbers = target.frames
    if len(numbers) > node.limits.frames:
        raise Problem(400, f"more than {node.limits.frames} frames")
    kept: Stored | None = node.places.get((target.study, target.series, target.instance))
    if kept is None or kept.changed != node.catalogue.changed:
        kept = await node.work(stored_of, node, target)
    if max(numbers) > kept.count:
        raise Problem(404, f"the instance has {kept.count} frames, and no frame {max(numbers)}")
    choice = choose_frames(request.accepted, kept.syntax)
    tag = kept.tag(numbers, choice)
    if request.has_tag(tag):
        return Reply(304, headers=[("etag", tag)])
    quick = _at_once(request, kept, numbers, choice, tag)
    return quick if quick is not None else await node.work(_slowly, request, kept, numbers)


def _media(choice: Choice, kept: Stored) -> str:
    """The Content-Type of a frame: its media type and transfer syntax."""
    return f"{choice.media};transfer-syntax={choice.transfer_syntax or kept.label}"


def _at_once(request: Request, kept: Stored, numbers: Sequence[int], choice: Choice, tag: str) -> Reply | None:
    """The answer with one frame whose bytes need not be waited for; None if there is none."""
    if len(numbers) != 1 or choice.transfer_syntax or "range" in request.headers:
        return None
    spans = kept.spans(numbers[0] - 1)
    if spans is None or len(spans) != 1 or spans[0][1] > WHOLE:
        return None
    data = kept.file.read_now(*spans[0])
    if data is None:
        return None
    media = _media(choice, kept)
    headers = [("etag", tag), ("cache-control", "private, no-cache")]
    if not choice.is_multipart:
        return Reply(200, media, data, [*headers, ("accept-ranges", "bytes")])
    writer = PartWriter(choice.media, {"transfer-syntax": choice.transfer_syntax or kept.label})
    return Reply(200, writer.content_type, b"".join((writer.head(media), data, writer.tail())), headers)


def _slowly(request: Request, kept: Stored, numbers: Sequence[int]) -> Reply:
    """The answer in the first of the ways that the client takes in which it can be made."""
    failure: Problem | None = None
    for choice in frame_choices(request.accepted, kept.syntax):
        try:
            return _made(request, kept, numbers, choice)
        except Problem as problem:
            if problem.status != 406:
                raise
            failure = failure or problem
    assert failure is not None
    raise failure


def _made(request: Request, kept: Stored, numbers: Sequence[int], choice: Choice) -> Reply:
    media, tag = _media(choice, kept), kept.tag(numbers, choice)
    if request.has_tag(tag):
        return Reply(304, headers=[("etag", tag)])
    headers = [("etag", tag), ("cache-control", "private, no-cache")]
    if not choice.is_multipart:
        if len(numbers) > 1:
            choice = choice._replace(is_multipart=True)
        else:
            spans = None if choice.transfer_syntax else kept.spans(numbers[0] - 1)
            if spans is not None:
                return span_reply(request, kept.file, spans, media, tag)
            return Reply(200, media, next(_bytes(kept, numbers, choice)), headers)
    writer = PartWriter(choice.media, {"transfer-syntax": choice.transfer_syntax or kept.label})
    parts = frame_parts(writer, media, kept, numbers, choice)
    if len(numbers) == 1:
        return Reply(200, writer.content_type, b"".join([*parts, writer.tail()]), headers)
    first = next(parts)  # what cannot be made is said before the answer begins
    return Reply(200, writer.content_type, headers=headers, stream=batched(_all(first, parts, writer)))


def _all(
    first: bytes | memoryview, rest: Iterator[bytes | memoryview], writer: PartWriter
) -> Iterator[bytes | memoryview]:
    yield first
    yield from rest
    yield writer.tail()


def frame_parts(
    writer: PartWriter, media: str, kept: Stored, numbers: Sequence[int], choice: Choice, place: str = ""
) -> Iterator[bytes | memoryview]:
    """Frames as parts: heads and bytes. `place` is their location, with ``{}`` for the number."""
    if choice.transfer_syntax or kept.spans(0) is None:
        for number, data in zip(numbers, _bytes(kept, numbers, choice), strict=True):
            yield writer.head(media, location=place.format(number)) + data
        return
    for number in numbers:
        spans = kept.spans(number - 1)
        assert spans is not None
        yield writer.head(media, location=place.format(number))
        yield from read_spans(kept.file, spans)


def _bytes(kept: Stored, numbers: Sequence[int], choice: Choice) -> Iterator[bytes]:
    """The bytes of frames that do not lie in the file as they are sent; a few are made at once."""
    if kept.syntax in NATIVE and choice.transfer_syntax in ("", EXPLICIT):
        for number in numbers:
            yield _samples(kept.frames, number - 1)
        return
    if not choice.transfer_syntax:
        for number in numbers:
            yield bytes(kept.frames.encoded(number - 1))
        return
    for at in range(0, len(numbers), TOGETHER):
        chosen = numbers[at : at + TOGETHER]
        made = bytearray()
        try:
            transcode(kept.data_set, made, choice.transfer_syntax, frames=[one - 1 for one in chosen], workers=1)
        except (DicomError, IndexError) as error:
            raise Problem(406, f"the frames cannot be made {choice.transfer_syntax}: {reason(error)}") from None
        found = dcmread(bytes(made)).frames
        for index in range(len(chosen)):
            yield bytes(found.encoded(index))


def _samples(frames: Frames, index: int) -> bytes:
    """The samples of an uncompressed frame, little endian, from the first bit on; Problem if some are missing."""
    assert isinstance(frames.source, NativeFrames)
    lacking = frames.source.missing(index)
    if lacking:
        raise Problem(500, f"the pixel data ends {lacking} bytes before frame {index + 1} does")
    array = frames.decode(index, raw=True)
    if frames.stated.bits_allocated == 1:
        return np.packbits(array.reshape(-1).astype(bool), bitorder="little").tobytes()
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
