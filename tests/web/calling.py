"""A caller for tests: an application asked without sockets, and what is stored in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pydicom.data

from dicomcore import catalogue, dcmread, web
from dicomcore.web.multipart import PartWriter, read_parts

DICOM = "application/dicom"
AS_STORED = f'multipart/related; type="{DICOM}"; transfer-syntax=*'
PYDICOM = Path(pydicom.data.__file__).parent
NAMES = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm",
    "JPEG2000.dcm", "JPEG-LL.dcm", "JPGExtended.dcm", "image_dfl.dcm", "rtplan.dcm", "rtdose.dcm", "test-SR.dcm",
    "color-pl.dcm", "waveform_ecg.dcm", "emri_small.dcm", "emri_small_RLE.dcm", "reportsi.dcm", "examples_jpeg2k.dcm",
    "SC_rgb_small_odd.dcm", "examples_ybr_color.dcm", "liver_1frame.dcm",
)  # fmt: skip


def chosen() -> dict[str, Path]:
    """Files of many kinds that can be stored, each instance once."""
    there = {path.name: path for path in PYDICOM.rglob("*.dcm")}
    found: dict[str, Path] = {}
    for name in NAMES:
        if name in there:
            found.setdefault(str(dcmread(there[name], force=True).SOPInstanceUID), there[name])
    return {path.name: path for path in found.values()}


FILES = chosen()


def place_of(path: Path) -> str:
    """The path of the resource of a file."""
    ds = dcmread(path, force=True)
    return f"/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}"


def message(files: Iterable[Path | bytes], media: str = DICOM) -> tuple[bytes, dict[str, str]]:
    """The body and the header fields of a request that stores files."""
    writer = PartWriter(media)
    parts = [writer.head() + (one if isinstance(one, bytes) else one.read_bytes()) for one in files]
    return b"".join([*parts, writer.tail()]), {"content-type": writer.content_type}


def parts_of(answer: httpx.Response) -> list[tuple[str, bytes]]:
    """The parts of an answer: their media types, with parameters, and their bytes."""
    found = read_parts([answer.content], answer.headers["content-type"])
    return [(part.fields.get("content-type", ""), bytes(data)) for part, data in found]


class Caller:
    """Asks an application."""

    def __init__(self, application: Any, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://node")

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer to a request."""
        return self._runner.run(self._client.request(method, path, **options))

    def get(self, path: str, accept: str | None = None, **headers: str) -> httpx.Response:
        """The answer to GET; underscores in the names of header fields are hyphens."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        fields |= {} if accept is None else {"accept": accept}
        return self.ask("GET", path, headers=fields)

    def store(self, files: Iterable[Path | bytes], path: str = "/studies", media: str = DICOM) -> httpx.Response:
        """The answer to a request that stores files."""
        body, fields = message(files, media)
        return self.ask("POST", path, content=body, headers=fields)


@contextmanager
def calling(folder: Path, **options: Any) -> Iterator[tuple[Caller, Any]]:
    """A caller of an application over a new catalogue, and the catalogue."""
    with catalogue.open(folder) as held, asyncio.Runner() as runner:
        application = web.app(held, **options)
        yield Caller(application, runner), held
        application.node.close()


@contextmanager
def reading(held: Any, **options: Any) -> Iterator[Caller]:
    """A caller of an application over a catalogue that is there."""
    with asyncio.Runner() as runner:
        application = web.app(held, **options)
        yield Caller(application, runner)
        application.node.close()
