"""Instances that come as metadata and bulk data (PS3.18 10.5.1): files are made of them when all parts are there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.errors import DicomError, EncodeError, LimitError, ParseError
from dicomcore.files import NEW_FILE, write_all
from dicomcore.forms import from_json, from_xml
from dicomcore.forms.json_parser import parse_json
from dicomcore.part10.writer import dcmwrite
from dicomcore.pixels.frame_writer import FrameWriter
from dicomcore.web.choices import EXPLICIT
from dicomcore.web.codestreams import describe_pixels, syntax_of_part
from dicomcore.web.media import JSON, OCTETS, SPELLINGS
from dicomcore.web.multipart import Part
from dicomcore.web.node import Node
from dicomcore.web.outcomes import Failure
from dicomcore.web.problems import reason

__all__ = ["Described"]

CANNOT_UNDERSTAND, OUT_OF_RESOURCES, NO_BULK_DATA = 0xC000, 0xA700, 0xC002
METADATA = frozenset({JSON, "application/dicom+xml"})
PIXELS = "PixelData"
UTF_8 = "ISO_IR 192"


@dataclass(slots=True)
class _Bulk:
    """A part of bulk data: its file, and what it is."""

    path: str
    location: str
    media: str
    syntax: str
    fault: str = ""

    def data(self) -> bytes:
        with open(self.path, "rb") as file:
            return file.read()


@dataclass(slots=True)
class _Missing(Exception):
    """There is no part of a location, or not a whole one."""

    text: str = field(default="")


class Described:
    """Collects the parts of a request, and makes files of them."""

    def __init__(self, node: Node, form: str) -> None:
        self._node, self._form = node, form
        self._documents: list[bytearray] = []
        self._bulk: dict[str, list[_Bulk]] = {}
        self._open: bytearray | _Bulk | None = None
        self._file = -1
        self._size = 0
        self._failures: list[Failure] = []

    def begin(self, part: Part) -> None:
        """A part begins."""
        self._size = 0
        essence = part.media_type.essence
        essence = SPELLINGS.get(essence, essence)
        if essence in METADATA or (not essence and not self._documents):
            self._open = bytearray()
            self._documents.append(self._open)
            return
        self._open = _Bulk(
            self._node.live.part(), part.location or "", essence or OCTETS,
            part.media_type.parameters.get("transfer-syntax", ""),
        )  # fmt: skip
        self._bulk.setdefault(self._open.location, []).append(self._open)
        try:
            self._file = os.open(self._open.path, NEW_FILE, 0o666)
        except OSError as error:
            self._open.fault = reason(error)

    def write(self, data: memoryview) -> None:
        """Bytes of it."""
        self._size += len(data)
        if isinstance(self._open, bytearray):
            if self._size > self._node.limits.json_bytes:
                raise LimitError(f"metadata of more than {self._node.limits.json_bytes} bytes")
            self._open += data
        elif self._open is not None and not self._open.fault:
            try:
                if self._size > self._node.limits.bulk_bytes:
                    raise OSError(f"bulk data of more than {self._node.limits.bulk_bytes} bytes")
                write_all(self._file, data)
            except OSError as error:
                self._open.fault = reason(error)

    def end(self, fault: str) -> None:
        """It is whole, or has a fault."""
        if self._file != -1:
            os.close(self._file)
            self._file = -1
        if isinstance(self._open, _Bulk):
            self._open.fault = self._open.fault or fault
        elif fault:
            self._failures.append(Failure(CANNOT_UNDERSTAND, fault))
            self._documents.pop()
        self._open = None

    def instances(self) -> Iterator[str | Failure]:
        """The path of a file of each instance, or why there is none."""
        yield from self._failures
        for document in self._documents:
            try:
                models = self._models(bytes(document))
            except DicomError as error:
                yield Failure(CANNOT_UNDERSTAND, f"the metadata cannot be read: {reason(error)}")
                continue
            for model in models:
                yield self._made(model)

    def _models(self, document: bytes) -> list[Any]:
        if self._form != JSON:
            return [document]
        found = parse_json(document, self._node.reading)
        models = found if isinstance(found, list) else [found]
        if not all(isinstance(one, dict) for one in models):
            raise ParseError("DICOM JSON is an object of attributes, or an array of such")
        return models

    def _made(self, model: Any) -> str | Failure:
        """One instance as a file."""
        ds: Dataset | None = None
        path = self._node.live.part()
        try:
            coded: dict[str, list[_Bulk]] = {}
            ds = self._read(model, coded)
            try:
                self._write(ds, coded, path)
            except EncodeError:  # what came was in UTF-8, whatever character set the instance had elsewhere
                if text_of(ds, "SpecificCharacterSet") == UTF_8:
                    raise
                ds.SpecificCharacterSet = UTF_8
                self._write(ds, coded, path)
        except _Missing as missing:
            return _failure(ds, NO_BULK_DATA, missing.text)
        except (DicomError, TypeError) as error:
            _unlink(path)
            return _failure(ds, CANNOT_UNDERSTAND, reason(error))
        except OSError as error:
            _unlink(path)
            return _failure(ds, OUT_OF_RESOURCES, error.strerror or reason(error))
        return path

    def _read(self, model: Any, coded: dict[str, list[_Bulk]]) -> Dataset:
        """The data set of a model; codestreams of pixel data are left out, and put into `coded`."""

        def fetch(tag: str, vr: str, uri: str) -> bytes | None:
            parts = self._bulk.get(uri)
            if not parts:
                raise _Missing(f"{tag} refers to bulk data that no part has")
            if any(part.fault for part in parts):
                raise _Missing(f"the bulk data of {tag} is not whole: {parts[0].fault}")
            if tag.upper() == "7FE00010" and parts[0].media != OCTETS:
                coded[PIXELS] = parts
                return None
            return b"".join(part.data() for part in parts)

        if self._form != JSON:
            made: Dataset = from_xml(model, bulk_data_uri_handler=fetch, limits=self._node.reading)
            return made
        made = from_json(model, bulk_data_uri_handler=fetch, limits=self._node.reading)
        return made

    def _write(self, ds: Dataset, coded: dict[str, list[_Bulk]], path: str) -> None:
        parts = coded.get(PIXELS)
        if not parts:
            dcmwrite(path, ds, transfer_syntax=EXPLICIT, durable=False)
            return
        codestreams = [part.data() for part in parts]
        syntax = syntax_of_part(parts[0].media, parts[0].syntax, codestreams[0])
        codestreams = describe_pixels(ds, parts[0].media, codestreams)
        ds[PIXELS].value = b"\0\0"
        with FrameWriter(path, ds, transfer_syntax=syntax, durable=False, frames=len(codestreams)) as writer:
            for one in codestreams:
                writer.append(one)

    def close(self) -> None:
        """Remove what is left."""
        if self._file != -1:
            os.close(self._file)
            self._file = -1
        for parts in self._bulk.values():
            for part in parts:
                _unlink(part.path)
        self._bulk.clear()


def _failure(ds: Dataset | None, code: int, text: str) -> Failure:
    if ds is None:
        return Failure(code, text)
    return Failure(code, text, text_of(ds, "SOPClassUID") or "", text_of(ds, "SOPInstanceUID") or "")


def _unlink(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
