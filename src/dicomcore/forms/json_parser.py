"""A parser of untrusted JSON text: duplicate keys and nesting beyond a limit are refused, and errors name the element.

The parser of the standard library does the work. Text that it refuses, for its contents or its depth, is parsed again
with a stack instead of recursion, to locate the error, or to read it after all if only its depth was refused.
"""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from dicomcore.errors import LimitError, ParseError
from dicomcore.limits import DEFAULT_LIMITS, Limits

__all__ = ["parse_json"]

LEVELS = 3
"""Levels of JSON for each nested sequence: the attribute object, the Value array, the item."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SPACE = re.compile(r"[ \t\n\r]*")
NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
WORDS = {"null": None, "true": True, "false": False, "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity"}
WORD = re.compile("|".join(WORDS))


def parse_json(text: str | bytes | bytearray, limits: Limits | None) -> Any:
    """Parse a JSON text (RFC 8259); bytes are UTF-8.

    NaN and Infinity, which some writers use though they are not JSON, become text. Raises ParseError, whose `offset`
    counts characters, and LimitError beyond `limits` (None means the default limits).
    """
    if not isinstance(text, str):
        data = bytes(memoryview(text))  # bytes() of a number would be as many
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            reason = ": this is UTF-16" if data.startswith(UTF_16) else f", and at byte {error.start} this is not"
            raise ParseError(f"JSON is UTF-8{reason}", offset=error.start) from None
        if "\0" in text[:2]:
            raise ParseError("JSON is UTF-8: this is UTF-16", offset=0)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=str)
    except (ValueError, RecursionError):
        return _Parser(text, limits or DEFAULT_LIMITS).parse()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key occurs twice")
    return members


class _Parser:
    """Parses one text; `at` is the current offset, `open` has the objects and arrays around it, innermost last."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.deepest = LEVELS * limits.depth
        self.at = 0
        self.open: list[dict[str, Any] | list[Any]] = []
        self.keys: list[str] = []  # key of the current member in each open container ("" in arrays)

    def parse(self) -> Any:
        root: list[Any] = []
        self.value_into(root)
        while self.open:
            self.next_member()
        self.next_character()
        if self.at != len(self.text):
            raise self.fault("text after the end of the value")
        return root[0]

    def next_character(self) -> str:
        """Skip white space; return the next character, "" at the end."""
        match = SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.text[self.at : self.at + 1]

    def next_member(self) -> None:
        """Read the next member of the innermost container, or close the container."""
        inner = self.open[-1]
        closing = "}" if isinstance(inner, dict) else "]"
        mark = self.next_character()
        if mark == closing:
            self.at += 1
            self.open.pop()
            self.keys.pop()
            return
        if inner:
            if mark != ",":
                raise self.fault(f"expected a comma or {closing}")
            self.at += 1
            mark = self.next_character()
        if isinstance(inner, list):
            self.value_into(inner)
            return
        if mark != '"':
            raise self.fault("expected a key in quotes")
        key = self.string()
        self.keys[-1] = key
        if key in inner:
            raise self.fault("occurs twice")
        if self.next_character() != ":":
            raise self.fault("expected a colon")
        self.at += 1
        value: list[Any] = []
        self.value_into(value)
        inner[key] = value[0]

    def value_into(self, target: list[Any]) -> None:
        """Append the next value to `target`; an object or array is only opened: `next_member` reads its members."""
        mark = self.next_character()
        if mark in ("{", "["):
            if len(self.open) >= self.deepest:
                raise LimitError(f"{self.location()}nested deeper than Limits.depth allows, at character {self.at}")
            container: dict[str, Any] | list[Any] = {} if mark == "{" else []
            target.append(container)
            self.open.append(container)
            self.keys.append("")
            self.at += 1
        elif mark == '"':
            target.append(self.string())
        else:
            target.append(self.number_or_word())

    def string(self) -> str:
        try:
            text, self.at = scanstring(self.text, self.at + 1, True)
        except json.JSONDecodeError as error:
            self.at = error.pos
            raise self.fault(error.msg) from None
        return str(text)

    def number_or_word(self) -> Any:
        match = WORD.match(self.text, self.at)
        if match:
            self.at = match.end()
            return WORDS[match.group()]
        match = NUMBER.match(self.text, self.at)
        if not match:
            raise self.fault("expected a value")
        try:
            number = float(match.group()) if match[2] or match[3] else int(match.group())
        except ValueError:
            raise self.fault(f"a number of {len(match.group())} digits") from None
        self.at = match.end()
        return number

    def location(self) -> str:
        """The path of the current element, with a colon; "" outside of all elements."""
        path = ""
        for key, container in zip(self.keys, self.open, strict=True):
            if isinstance(container, list):
                path += f"[{max(len(container) - 1, 0)}]" if container and isinstance(container[-1], dict) else ""
            elif key not in ("Value", "vr", "InlineBinary", "BulkDataURI", "DataFragment", ""):
                path += ("." if path else "") + key[:16]
        return f"{path}: " if path else ""

    def fault(self, message: str) -> ParseError:
        return ParseError(f"{self.location()}{message}, at character {self.at}", offset=self.at)
