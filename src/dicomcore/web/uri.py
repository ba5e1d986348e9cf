"""The URI service, WADO-URI (PS3.18 9): one instance by query parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dicomcore.display.rendering import Window
from dicomcore.part10.reader import dcmread
from dicomcore.syntaxes import NATIVE, syntax_of
from dicomcore.web.choices import EXPLICIT, can_make
from dicomcore.web.media import DICOM, MediaRange, parse_accept
from dicomcore.web.problems import Problem
from dicomcore.web.rendered import FORMATS, single_picture
from dicomcore.web.rendering import category_of, shown_by_state
from dicomcore.web.requests import Reply, Request
from dicomcore.web.retrieve import converted, entries_of
from dicomcore.web.routes import Target
from dicomcore.web.sending import open_file, span_reply
from dicomcore.web.views import View, read_annotation, read_number, read_quality, read_size

__all__ = ["is_uri_request", "uri"]

UIDS = {"studyUID": "study", "seriesUID": "series", "objectUID": "instance"}
DEFAULTS = {"image": "image/jpeg", "text": "text/html", "video": "video/*", "document": "*/*", "state": "image/jpeg"}


def is_uri_request(request: Request) -> bool:
    """Whether a request of the root is one of the URI service."""
    return b"requestType=" in request.scope.get("query_string", b"")


async def uri(request: Request, target: Target) -> Reply:
    """Answer a request of the URI service."""
    if request.parameter("requestType") != "WADO":
        raise Problem(400, "requestType is WADO")
    uids = {UIDS[name]: request.parameter(name) or "" for name in UIDS}
    if not all(uids.values()):
        raise Problem(400, "studyUID, seriesUID and objectUID are needed")
    _check_anonymize(request)
    target = Target("wado", uids["study"], uids["series"], uids["instance"])
    return await request.node.work(_uri, request, target)


def _check_anonymize(request: Request) -> None:
    """Problem if instances are to be de-identified, and that is not possible (PS3.18 9.4.1.2.2)."""
    said = request.parameter("anonymize")
    if said is None:
        return
    if said != "yes":
        raise Problem(400, "anonymize is yes, or left out")
    if request.parameter("contentType") != DICOM:
        raise Problem(400, f"anonymize is for contentType={DICOM}")
    if request.node.deidentify is None:
        raise Problem(501, "this service does not de-identify instances")


def _uri(request: Request, target: Target) -> Reply:
    entry = entries_of(request, target)[0]
    wanted = request.parameter("contentType")
    ranges = parse_accept(wanted or "")
    if wanted and ranges and ranges[0].media == DICOM:
        return _instance(request, entry)
    if not wanted:
        ds = dcmread(request.node.catalogue.source(entry), limits=request.node.reading, force=True)
        kind = category_of(ds, entry.transfer_syntax)
        if not kind:
            return _instance(request, entry)
        ranges = (MediaRange(DEFAULTS[kind]),)
    text = request.parameter("frameNumber")
    number = None if text is None else read_size(text, "frameNumber")
    state = request.parameter("presentationUID")
    if state:
        return _by_state(request, entry, state, ranges, number or 1)
    shape = _shape(request, entry) if request.parameter("region") else (1.0, 1.0)
    part = single_picture(request.node, entry, _view(request, shape), ranges, number)
    return Reply(200, part.media, part.data)


def _by_state(request: Request, entry: Any, uid: str, ranges: Sequence[MediaRange], number: int) -> Reply:
    """An image as a presentation state shows it (PS3.18 9.5.1.2.12)."""
    found = request.node.catalogue.instances(instance=uid)
    if not found:
        raise Problem(404, "there is no such presentation state")
    view = _view(request, (1.0, 1.0))
    if view.window is not None:
        raise Problem(400, "windowCenter and windowWidth are not given with presentationUID (PS3.18 9.5.1.2.7)")
    media = next((one for range_ in ranges for one in FORMATS if range_.takes(one)), None)
    if media is None:
        raise Problem(406, f"images are rendered as {', '.join(FORMATS)}")
    source = request.node.catalogue.source(found[0])
    try:
        state = dcmread(source, limits=request.node.reading, force=True)
    except FileNotFoundError:
        raise Problem(410, "the file of the presentation state is gone") from None
    return Reply(200, media, shown_by_state(request.node, [entry], state, view, media, number))


def _instance(request: Request, entry: Any) -> Reply:
    """The file, in the transfer syntax that is asked for, by default Explicit VR Little Endian (PS3.18 9.4.1.2.4)."""
    wanted = request.parameter("transferSyntax") or ""
    own = str(entry.transfer_syntax)
    if not wanted:
        is_plain = own in NATIVE and not syntax_of(own).encapsulated and not syntax_of(own).deflated
        wanted = EXPLICIT if is_plain else own
    if wanted != own and not can_make(wanted):
        raise Problem(406, f"the transfer syntax {wanted[:64]} cannot be made")
    source = request.node.catalogue.source(entry)
    try:
        if request.parameter("anonymize"):
            return _anonymized(request, source, wanted)
        file = open_file(source) if wanted == own else converted(source, wanted, request.node.reading)
    except FileNotFoundError:
        raise Problem(410, "the file of the instance is gone") from None
    return span_reply(request, file, [(0, file.size)], DICOM, f'"{file.tag}-{wanted}"')


def _anonymized(request: Request, source: Any, wanted: str) -> Reply:
    """The instance without what tells who the patient is; Problem 500 if that can't be had."""
    assert request.node.deidentify is not None
    made = request.node.deidentify(dcmread(source, limits=request.node.reading, force=True))
    data = made.to_bytes()
    if str(made.transfer_syntax) != wanted:
        file = converted(data, wanted, request.node.reading)
        data = bytes(file.read(0, file.size))
    return Reply(200, DICOM, data)


def _view(request: Request, shape: tuple[float, float]) -> View:
    """The parameters of a rendered answer, of an image of so many rows and columns."""
    view = View()
    rows, columns = request.parameter("rows"), request.parameter("columns")
    if rows is not None or columns is not None:
        height = read_size(rows, "rows") if rows else 1 << 15
        width = read_size(columns, "columns") if columns else 1 << 15
        view.viewport = width, height
    center, width_text = request.parameter("windowCenter"), request.parameter("windowWidth")
    if (center is None) != (width_text is None):
        raise Problem(400, "windowCenter and windowWidth are given together")
    if center is not None and width_text is not None:
        width_value = read_number(width_text, "windowWidth")
        if width_value < 1:
            raise Problem(400, "windowWidth is at least 1")
        view.window = Window(read_number(center, "windowCenter"), width_value)
    quality = request.parameter("imageQuality")
    view.quality = None if quality is None else read_quality(quality)
    annotation = request.parameter("annotation")
    if annotation is not None:
        read_annotation(view, annotation)
    region = request.parameter("region")
    if region is not None:
        view.region = _region(region, *shape)
    return view


def _region(text: str, rows: float, columns: float) -> tuple[float, float, float, float]:
    """A region in parts of the picture's width and height (PS3.18 9.5.1.2.4)."""
    numbers = [read_number(piece, "region") for piece in text.split(",")]
    if len(numbers) != 4 or not all(0 <= one <= 1 for one in numbers):
        raise Problem(400, "region is four numbers from 0 to 1")
    left, top, right, bottom = numbers
    if left >= right or top >= bottom:
        raise Problem(400, "region has no size")
    return left * columns, top * rows, (right - left) * columns, (bottom - top) * rows


def _shape(request: Request, entry: Any) -> tuple[float, float]:
    """Rows and columns of an image."""
    tags = ["Rows", "Columns"]
    ds = dcmread(request.node.catalogue.source(entry), specific_tags=tags, limits=request.node.reading, force=True)
    return float(ds.get("Rows") or 0), float(ds.get("Columns") or 0)
