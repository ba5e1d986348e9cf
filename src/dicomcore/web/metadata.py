"""Metadata (PS3.18 10.4.1.1.2): data sets without bulk data, made once for a series and kept compressed."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from dicomcore.dataset import DataElement, Dataset
from dicomcore.errors import DicomError
from dicomcore.forms import xml_pieces
from dicomcore.forms.json_text import to_header_json
from dicomcore.part10.reader import dcmread
from dicomcore.web.media import JSON, UID_TEXT, XML
from dicomcore.web.multipart import PartWriter
from dicomcore.web.node import Node
from dicomcore.web.problems import Problem, reason
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target
from dicomcore.web.search import chosen_form
from dicomcore.web.sending import batched

__all__ = ["bulk_uri", "metadata"]

INLINE = 768
"""Most bytes of a binary value that is in the metadata itself, in base64."""
LEVEL = 1
AVAILABLE = 0x00083002


class Kept(NamedTuple):
    """Metadata in JSON, by gzip. `state` says which instances it is of, `changed` when that was looked at."""

    state: tuple[Any, ...]
    tag: str
    packed: bytes
    changed: int


async def metadata(request: Request, target: Target) -> Reply:
    """Answer a request for metadata."""
    form = chosen_form(request)
    node = request.node
    key = target.study, target.series
    if form == JSON and not target.instance and not node.base_url:
        kept: Kept | None = node.metadata.get(key)
        if kept is not None and kept.changed == node.catalogue.changed:
            return _reply(request, kept)
    return await node.work(_metadata, request, target, form)


def _entries(node: Node, target: Target) -> Sequence[Any]:
    entries: Sequence[Any] = node.catalogue.instances(**target.uids)
    if not entries:
        raise Problem(
            404, f"there is no such {'instance' if target.instance else 'series' if target.series else 'study'}"
        )
    return entries


def _metadata(request: Request, target: Target, form: str) -> Reply:
    node = request.node
    changed = node.catalogue.changed
    entries = _entries(node, target)
    if form == XML:
        writer = PartWriter(XML)
        return Reply(200, writer.content_type, stream=batched(_xml(request, target, entries, writer)))
    if target.instance:
        return Reply(200, JSON, _joined(request, target, entries), is_text=True)
    key = target.study, target.series
    state = tuple((one.path, one.size, one.arrived) for one in entries)
    kept: Kept | None = node.metadata.get(key)
    if kept is None or kept.state != state:
        text = _joined(request, target, entries)
        tag = f'W/"{zlib.crc32(text):08x}-{len(text):x}-{len(entries):x}"'
        kept = Kept(state, tag, gzip.compress(text, LEVEL, mtime=0), changed)
    else:
        kept = kept._replace(changed=changed)
    node.metadata.put(key, kept, len(kept.packed))
    return _reply(request, kept)


def _reply(request: Request, kept: Kept) -> Reply:
    headers = [("etag", kept.tag), ("cache-control", "private, no-cache"), ("vary", "accept, accept-encoding")]
    if request.has_tag(kept.tag):
        return Reply(304, headers=headers)
    if takes_gzip(request):
        return Reply(200, JSON, kept.packed, [*headers, ("content-encoding", "gzip")])
    return Reply(200, JSON, headers=headers, stream=_unpacked(kept.packed))


def takes_gzip(request: Request) -> bool:
    """Whether the client takes gzip (RFC 9110 12.5.3)."""
    for one in request.headers.get("accept-encoding", "").split(","):
        name, _, quality = one.partition(";")
        if name.strip().lower() in ("gzip", "x-gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _unpacked(packed: bytes) -> Iterator[bytes]:
    inflater = zlib.decompressobj(31)
    rest = packed
    while rest:
        data = inflater.decompress(rest, 1 << 20)
        rest = inflater.unconsumed_tail
        if data:
            yield data


def _joined(request: Request, target: Target, entries: Sequence[Any]) -> bytes:
    """The array of the data sets; URIs of bulk data are relative to the resource, or behind the configured base."""
    node = request.node
    texts = []
    for entry in entries:
        try:
            texts.append(_text(_opened(node, entry), _prefix(node, target, entry), entry.transfer_syntax))
        except DicomError as error:
            raise Problem(500, f"an instance cannot be written as JSON: {reason(error)}") from None
    return f"[{','.join(texts)}]".encode()


def _text(ds: Dataset, prefix: str, syntax: str) -> str:
    """A data set in JSON, with Available Transfer Syntax UID, by which viewers decode frames."""
    added = f'{{"vr":"UI","Value":["{syntax}"]}}' if UID_TEXT.fullmatch(syntax) else None
    return to_header_json(ds, f"{prefix}bulkdata/", INLINE, (AVAILABLE, added))


def _opened(node: Node, entry: Any, **options: Any) -> Dataset:
    try:
        return dcmread(node.catalogue.source(entry), limits=node.reading, force=True, **options)
    except FileNotFoundError:
        raise Problem(410, "the file of an instance is gone") from None


def _prefix(node: Node, target: Target, entry: Any) -> str:
    """What stands before ``bulkdata/…`` in the URIs of an instance."""
    if target.instance and not node.base_url:
        return ""
    place = f"instances/{_quoted(entry.sop_instance)}/"
    if target.series and not node.base_url:
        return place
    place = f"series/{_quoted(entry.series)}/{place}"
    return f"{node.base_url}/studies/{_quoted(entry.study)}/{place}" if node.base_url else place


def _quoted(uid: str) -> str:
    return uid if UID_TEXT.fullmatch(uid) else quote(uid, safe="")


def bulk_uri(prefix: str, element: DataElement) -> str:
    """The URI of a value: by its tag, and by its offset in the file, as items may have the same tag."""
    return f"{prefix}bulkdata/{int(element.tag):08X}/{element.offset}"


def _handler(prefix: str) -> Callable[[DataElement], str]:
    return lambda element: bulk_uri(prefix, element)


def _xml(request: Request, target: Target, entries: Sequence[Any], writer: PartWriter) -> Iterator[bytes]:
    node = request.node
    for entry in entries:
        ds = _opened(node, entry, stop_before_pixels=True)  # a value is read to be written as XML
        text = "".join(xml_pieces(ds, INLINE, _handler(_prefix(node, target, entry)), False))
        yield writer.head(XML) + text.encode()
    yield writer.tail()
