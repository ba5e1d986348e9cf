"""Failures as answers: a status code and a status report (PS3.18 8.5, 8.6), in the form of RFC 9457."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from http import HTTPStatus

__all__ = ["MEDIA", "Problem", "reason", "report"]

MEDIA = "application/problem+json"
LONGEST = 400  # characters of a reason: what clients send may be in it

PATH = re.compile(r"'?(?:[A-Za-z][\w+.-]+://[^\s'\"]+|(?:[A-Za-z]:)?(?:[/\\][^\s'\":/\\]+){2,})'?:?")


def reason(error: Exception) -> str:
    """What an error says, without paths and URLs of the server."""
    text, path = str(error), getattr(error, "path", None)
    if path:
        text = text.replace(str(path), "the file")
    return PATH.sub("the file", text).removeprefix("the file: ")


class Problem(Exception):
    """The request is answered with a status and a report. `headers` are further header fields."""

    def __init__(self, status: int, text: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(text)
        self.status, self.text, self.headers = status, text, tuple(headers)


def report(status: int, text: str) -> bytes:
    """The body of an answer that says what is wrong."""
    model = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if text:
        model["detail"] = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return json.dumps(model).encode()
