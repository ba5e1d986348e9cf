"""What a server answered: statuses, compressed bodies, data sets, and errors that say what the server said."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicomcore.errors import DicomError, LimitError, ParseError, WebError
from dicomcore.forms import from_xml, read_json_lines
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.web.multipart import media_type, read_parts

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Answer", "Inflater", "check", "data_sets_of", "inflater_for"]

MOST_SAID = 500  # characters of an error's body that are shown
FREE = 1 << 20  # inflated bytes before the ratio counts, and those that are given at a time
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its status, header fields by names in lower case, the URL that gave it, the body if it was read."""

    status: int
    headers: Mapping[str, str]
    url: str
    body: bytes = b""

    @property
    def content_type(self) -> str:
        """Content-Type, "" for none."""
        return self.headers.get("content-type", "")

    @property
    def warning(self) -> str:
        """The text of a Warning header field (RFC 7234 5.5), "" for none."""
        return self.headers.get("warning", "")


def check(answer: Answer, *good: int) -> Answer:
    """The answer, if its status is one of these, by default any of 200 to 299. Else WebError."""
    if answer.status in good or (not good and 200 <= answer.status < 300):
        return answer
    raise WebError(_said(answer), status=answer.status, url=answer.url)


def _said(answer: Answer) -> str:
    """What the body of an error says: a status report as text, JSON or HTML."""
    read = media_type(answer.content_type)
    text = answer.body[: 64 * MOST_SAID].decode("utf-8", "replace").strip()
    if "json" in read.essence:
        text = _said_in_json(text)
    elif "html" in read.essence or text[:1] == "<":
        text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
    text = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return text[:MOST_SAID] or answer.warning[:MOST_SAID]


def _said_in_json(text: str) -> str:
    import json

    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(read, dict):
        names = ("detail", "Details", "message", "Message", "errorMessage", "error", "title")
        said = [str(read[name]) for name in names if isinstance(read.get(name), (str, int))]
        return ": ".join(dict.fromkeys(said)) or text
    return text


# -- content encodings


class Inflater:
    """Inflates a body that was compressed by gzip or deflate (RFC 9110 8.4.1), within limits."""

    def __init__(self, window: int, limits: Limits) -> None:
        self._window, self._limits = window, limits
        self._stream = zlib.decompressobj(window)
        self._taken = self._given = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Inflated bytes, at most 1 MiB at a time. LimitError beyond the limits, ParseError for damage."""
        self._taken += len(data)
        is_full = False  # whether more may come out without more going in
        while data or is_full:
            try:
                made = self._stream.decompress(data, FREE)
            except zlib.error as error:
                raise ParseError(f"the compressed body is damaged: {error}", offset=self._taken) from None
            self._given += len(made)
            if self._given > FREE and self._given > self._limits.inflated_ratio * self._taken:
                raise LimitError(f"a body that inflates more than {self._limits.inflated_ratio} times")
            if made:
                yield made
            is_full, data = len(made) == FREE, self._stream.unconsumed_tail
            if self._stream.eof:
                is_full, data = False, self._stream.unused_data
                if not data.startswith(GZIP):
                    return
                self._stream = zlib.decompressobj(self._window)  # another member

    def close(self) -> None:
        """The body has ended. ParseError if it was cut."""
        if self._taken and not self._stream.eof:
            raise ParseError("the compressed body ends in the middle", offset=self._taken)


def inflater_for(headers: Mapping[str, str], limits: Limits = DEFAULT_LIMITS) -> Inflater | None:
    """What inflates a body with these header fields; None if it is as it is. WebError for an encoding not asked for."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return None
    if coding in ("gzip", "x-gzip", "deflate"):
        return Inflater(zlib.MAX_WBITS | 32, limits)  # 32: zlib tells gzip and deflate apart
    raise ParseError(f"the body has the Content-Encoding {coding[:40]!r}, which was not asked for")


# -- data sets


def data_sets_of(answer: Answer, limits: Limits, handler: Any = None) -> Iterator[Dataset]:
    """The data sets of an answer in JSON, or in XML as some servers send whatever is asked. WebError if it has none."""
    if answer.status == 204 or not answer.body.strip():
        return
    read = media_type(answer.content_type)
    try:
        if read.essence.startswith("multipart/"):
            for _, body in read_parts([answer.body], answer.content_type):
                yield from_xml(body, limits=limits, bulk_data_uri_handler=handler)
        elif read.essence.endswith("xml"):
            yield from_xml(answer.body, limits=limits, bulk_data_uri_handler=handler)
        elif "json" in read.essence or answer.body.lstrip()[:1] in (b"[", b"{"):
            yield from read_json_lines([answer.body], limits=limits, bulk_data_uri_handler=handler)
        else:
            raise ParseError(f"data sets were asked for, and {answer.content_type[:80]!r} came")
    except LimitError:
        raise
    except DicomError as error:
        raise WebError(str(error), status=answer.status, url=answer.url) from error
