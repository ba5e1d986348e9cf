"""Data sets as XML: the Native DICOM Model, one part each where there may be several (PS3.18 F.1, 8.7.3.2)."""

from __future__ import annotations

from collections.abc import Iterable

from dicomcore.dataset import Dataset
from dicomcore.forms import xml_pieces
from dicomcore.web.media import XML
from dicomcore.web.multipart import PartWriter
from dicomcore.web.requests import Reply

__all__ = ["xml_parts", "xml_reply"]


def xml_parts(data_sets: Iterable[Dataset]) -> Reply:
    """Data sets as parts."""
    writer = PartWriter(XML)
    parts = [writer.head(XML) + _document(one) for one in data_sets]
    return Reply(200, writer.content_type, b"".join([*parts, writer.tail()]))


def xml_reply(data_set: Dataset, status: int = 200) -> Reply:
    """One data set as a document."""
    return Reply(status, XML, _document(data_set))


def _document(data_set: Dataset) -> bytes:
    return "".join(xml_pieces(data_set, 0, None, False)).encode()
