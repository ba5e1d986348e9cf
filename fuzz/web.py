"""Targets of the web server: Accept headers, query strings, and paths."""

from __future__ import annotations

from collections.abc import Iterator

from dicomcore.web.choices import choose_frames, choose_instance
from dicomcore.web.media import MOST_TEXT, parse_accept
from dicomcore.web.problems import Problem
from dicomcore.web.queries import read_search
from dicomcore.web.requests import Request, segments
from dicomcore.web.routes import resolve
from dicomcore.web.views import read_view
from fuzz.target import Target

JPEG, EXPLICIT = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.1"


def accept(data: bytes) -> None:
    """Any header is read, and what is chosen of it is something that can be made."""
    text = data.decode("latin-1")
    try:
        ranges = parse_accept(text)
    except ValueError:
        assert len(text) > MOST_TEXT or text.count(",") >= 64
        return
    assert ranges == parse_accept(text)
    for one in ranges:
        assert 0 < one.quality <= 1
        assert "/" in one.media
    for choose in (choose_frames, choose_instance):
        for stored in (JPEG, EXPLICIT):
            try:
                made = choose(ranges, stored)
            except Problem as problem:
                assert problem.status == 406
                continue
            assert made.media


def query(data: bytes) -> None:
    """Any path and query string is a search or a view, or is refused with its reason."""
    path, _, rest = data.partition(b"?")
    try:
        target = resolve(segments(path.decode("latin-1")))
    except Problem as problem:
        assert problem.status in (400, 404)
        target = resolve(("studies",))
    request = Request(None, {"query_string": rest}, None, "GET", (), {})  # type: ignore[arg-type]
    for read in (lambda: read_search(request, resolve(("instances",))).compiled(), lambda: read_view(request)):
        try:
            read()
        except Problem as problem:
            assert problem.status == 400
            assert problem.text
    assert target.kind


def accept_seeds() -> Iterator[bytes]:
    """Headers of real clients."""
    yield b'multipart/related; type="application/dicom"; transfer-syntax=*'
    yield b"multipart/related; type=application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1, */*;q=0.1"
    yield b'multipart/related; type="image/jpeg;transfer-syntax=1.2.840.10008.1.2.4.50"'
    yield b"image/jls;q=0.5,image/jp2,text/html"


def query_seeds() -> Iterator[bytes]:
    """Requests of real clients."""
    yield b"/studies?PatientName=DOE*&StudyDate=20240101-20241231&includefield=all&limit=10&offset=5"
    yield b"/studies/1.2/series/3/instances/4/frames/1,2/rendered?window=40,400,linear&viewport=1,2,,,3,-4&quality=9"
    yield b"/instances?00400275.00400009=S1&fuzzymatching=true&emptyvaluematching=true&SOPInstanceUID=1,2"


TARGETS = {
    "web-accept": Target(accept, accept_seeds, most=2048),
    "web-query": Target(query, query_seeds, most=2048),
}
