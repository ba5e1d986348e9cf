"""JSON text to plain objects, when nobody vouches for it: no double keys, no nesting beyond a limit, and a fault is
told with its place in the data set.

The standard library's parser does the work. What it refuses, for its contents or its depth, is gone through once more
with a stack instead of recursion, to find out where the fault is, or that depth was all that was wrong.
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
"""JSON's levels for one of a sequence: its attribute object, the Value array, the item."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SPACE = re.compile(r"[ \t\n\r]*")
NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
WORDS = {"null": None, "true": True, "false": False, "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity"}
WORD = re.compile("|".join(WORDS))


def parse_json(text: str | bytes | bytearray, limits: Limits | None) -> Any:
    """The value of a JSON text (RFC 8259), UTF-8 where it is bytes.

    NaN and Infinity, which are no JSON and get written all the same, become text. Raises ParseError, whose `offset`
    counts characters, and LimitError beyond `limits` (None: the default ones).
    """
    if not isinstance(text, str):
        data = bytes(text)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            found = ": this is UTF-16" if data.startswith(UTF_16) else f", and at byte {error.start} this is not"
            raise ParseError(f"JSON is UTF-8{found}", offset=error.start) from None
        if "\0" in text[:2]:
            raise ParseError("JSON is UTF-8: this is UTF-16", offset=0)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=str)
    except (ValueError, RecursionError):
        return _Parser(text, limits or DEFAULT_LIMITS).parse()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


class _Parser:
    """One text on its way to a value; `open` holds the objects and arrays around where it stands."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.deepest = LEVELS * limits.depth
        self.at = 0
        self.open: list[dict[str, Any] | list[Any]] = []
        self.keys: list[str] = []  # of the member at hand, one for each open container ("" in arrays)

    def parse(self) -> Any:
        root: list[Any] = []
        self.value_into(root)
        while self.open:
            self.go_on()
        self.skip()
        if self.at != len(self.text):
            raise self.fault("something follows the end")
        return root[0]

    def skip(self) -> str:
        """The next character that isn't white space, "" at the end."""
        match = SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.text[self.at : self.at + 1]

    def go_on(self) -> None:
        """Take the next member of the innermost container, or close it."""
        inner = self.open[-1]
        closing = "}" if isinstance(inner, dict) else "]"
        mark = self.skip()
        if mark == closing:
            self.at += 1
            self.open.pop()
            self.keys.pop()
            return
        if inner:
            if mark != ",":
                raise self.fault(f"a comma or {closing} is due")
            self.at += 1
            mark = self.skip()
        if isinstance(inner, list):
            self.value_into(inner)
            return
        if mark != '"':
            raise self.fault("a key in quotes is due")
        key = self.string()
        self.keys[-1] = key
        if key in inner:
            raise self.fault("stands twice")
        if self.skip() != ":":
            raise self.fault("a colon is due")
        self.at += 1
        held: list[Any] = []
        self.value_into(held)
        inner[key] = held[0]

    def value_into(self, target: list[Any]) -> None:
        """Take a value; of an object or array the beginning, what is in it follows."""
        mark = self.skip()
        if mark in ("{", "["):
            if len(self.open) >= self.deepest:
                raise LimitError(f"{self.place()}nested deeper than Limits.depth allows, at character {self.at}")
            made: dict[str, Any] | list[Any] = {} if mark == "{" else []
            target.append(made)
            self.open.append(made)
            self.keys.append("")
            self.at += 1
        elif mark == '"':
            target.append(self.string())
        else:
            target.append(self.plain())

    def string(self) -> str:
        try:
            text, self.at = scanstring(self.text, self.at + 1, True)
        except json.JSONDecodeError as error:
            self.at = error.pos
            raise self.fault(error.msg) from None
        return str(text)

    def plain(self) -> Any:
        match = WORD.match(self.text, self.at)
        if match:
            self.at = match.end()
            return WORDS[match.group()]
        match = NUMBER.match(self.text, self.at)
        if not match:
            raise self.fault("a value is due")
        try:
            number = float(match.group()) if match[2] or match[3] else int(match.group())
        except ValueError:
            raise self.fault(f"a number of {len(match.group())} digits") from None
        self.at = match.end()
        return number

    def place(self) -> str:
        """The element at hand, with a colon; "" outside all of them."""
        path = ""
        for key, around in zip(self.keys, self.open, strict=True):
            if isinstance(around, list):
                path += f"[{max(len(around) - 1, 0)}]" if around and isinstance(around[-1], dict) else ""
            elif key not in ("Value", "vr", "InlineBinary", "BulkDataURI", "DataFragment", ""):
                path += ("." if path else "") + key[:16]
        return f"{path}: " if path else ""

    def fault(self, said: str) -> ParseError:
        return ParseError(f"{self.place()}{said}, at character {self.at}", offset=self.at)
