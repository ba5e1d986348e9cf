"""Masks: rectangles of known devices, found by conditions over attributes; and a reader for CTP's pixel scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from dicomcore.dataset.state import meta_of
from dicomcore.deid.pixels.rectangles import Rectangle
from dicomcore.tags import Tag

__all__ = ["Mask", "Masks", "known_masks", "read_ctp"]

OVERLAY_DESCRIPTION = "OverlayDescription"  # of any overlay
GROUPS = range(0x6000, 0x6020, 2)
ANYWHERE = frozenset(("CodeMeaning",))
"""Keywords that are sought in all items: the data set itself never has them."""
DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Mask:
    """The rectangles of the images of one device, or of one kind of its images."""

    label: str
    condition: Any
    """A tree of tuples: ``("and" | "or" | "not", tree, …)``, ``(test, keyword or tag, pattern)``."""
    rectangles: tuple[Rectangle, ...]
    kind: str = "mask"
    """Or "suspect": such images may have text anywhere; "clean": they are known to have none."""

    def matches(self, data_set: Any) -> bool:
        """Whether the condition holds for this data set."""
        return holds(self.condition, _Texts(data_set))


@dataclass(frozen=True, slots=True)
class Masks:
    """A list of masks."""

    rows: tuple[Mask, ...]
    first_only: bool = False
    """Whether only the first that matches counts, as in CTP's scripts; otherwise all that match."""

    def __len__(self) -> int:
        return len(self.rows)

    def matching(self, data_set: Any) -> list[Mask]:
        """The masks whose conditions hold."""
        texts = _Texts(data_set)
        found = [mask for mask in self.rows if holds(mask.condition, texts)]
        return found[:1] if self.first_only else found


@cache
def known_masks() -> Masks:
    """The masks that come with dicomcore."""
    from dicomcore.deid.pixels.mask_table import ROWS  # a long table that few callers need

    return Masks(
        tuple(
            Mask(label, condition, tuple(Rectangle(*box) for box in boxes), kind)
            for kind, label, condition, boxes in ROWS
        )
    )


# -- conditions


def _contains(value: str, pattern: str) -> bool:
    return re.search(pattern, value, re.IGNORECASE) is not None


def _equals(value: str, pattern: str) -> bool:
    return any(_alike(value, each) for each in pattern.split("|"))


def _alike(one: str, other: str) -> bool:
    if one.casefold() == other.casefold():
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _less(value: str, pattern: str) -> bool:
    try:
        return float(value) < float(pattern)
    except ValueError:
        return False


TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": _contains,
    "equals": _equals,
    "is": str.__eq__,
    "is caseless": lambda value, pattern: value.casefold() == pattern.casefold(),
    "has": lambda value, pattern: pattern in value,
    "has caseless": lambda value, pattern: pattern.casefold() in value.casefold(),
    "starts": str.startswith,
    "starts caseless": lambda value, pattern: value.casefold().startswith(pattern.casefold()),
    "ends": str.endswith,
    "ends caseless": lambda value, pattern: value.casefold().endswith(pattern.casefold()),
    "matches": lambda value, pattern: re.fullmatch(pattern, value) is not None,
    "less": _less,
    "greater": lambda value, pattern: _less(pattern, value),
}


class _Texts(dict["str | int", "list[str]"]):
    """The texts of the attributes that conditions ask for, each read once."""

    def __init__(self, data_set: Any) -> None:
        super().__init__()
        self._data_set = data_set

    def __missing__(self, key: str | int) -> list[str]:
        self[key] = found = list(_values(self._data_set, key))
        return found


def holds(tree: Any, texts: _Texts) -> bool:
    """Whether a condition holds; an attribute that is missing is as an empty one, but for "missing"."""
    operator, *operands = tree
    if operator == "and":
        return all(holds(operand, texts) for operand in operands)
    if operator == "or":
        return any(holds(operand, texts) for operand in operands)
    if operator == "not":
        return not holds(operands[0], texts)
    if operator == "always":
        return bool(operands[0])
    values = texts[operands[0]]
    if operator == "missing":
        return not values
    if operator == "empty":
        return values == [""]
    test, pattern = TESTS[operator], operands[1]
    return any(test(value, pattern) for value in values or [""])


def _values(data_set: Any, key: str | int) -> Iterator[str]:
    """The text of an attribute, several values joined by backslashes, from each place where it may be."""
    if key in ANYWHERE:
        yield from _nested(data_set, str(key), DEEPEST)
        return
    for tag in _tags(key):
        place = meta_of(data_set) if int(tag) >> 16 == 2 else data_set
        if place is None or tag not in place:
            continue
        value = place[tag].value
        many = value if isinstance(value, (list, tuple)) else [value]
        yield "\\".join("" if each is None else str(each) for each in many).strip()


def _tags(key: str | int) -> Iterable[Tag]:
    if key == OVERLAY_DESCRIPTION:
        return [Tag(group << 16 | 0x22) for group in GROUPS]
    return [Tag(key)]


def _nested(data_set: Any, keyword: str, depth: int) -> Iterator[str]:
    """The texts of an attribute in a data set and its items, in private sequences and deep ones as well."""
    if keyword in data_set:
        yield str(data_set.get(keyword) or "")
    if not depth:
        return
    for element in data_set:
        items = element.value if element.VR == "SQ" else None
        for item in items or ():
            yield from _nested(item, keyword, depth - 1)


# -- CTP


METHODS = {
    "equals": "is",
    "equalsIgnoreCase": "is caseless",
    "matches": "matches",
    "contains": "has",
    "containsIgnoreCase": "has caseless",
    "startsWith": "starts",
    "startsWithIgnoreCase": "starts caseless",
    "endsWith": "ends",
    "endsWithIgnoreCase": "ends caseless",
    "isLessThan": "less",
    "isGreaterThan": "greater",
}
TOKEN = re.compile(
    r"\s+|//[^\n]*"
    r"|(?P<sign>[()+*!])"
    r"|(?P<always>true|false)\.(?!\w)"
    r"|(?P<key>\[[0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\]|\w+)\s*\.\s*(?P<method>\w+)\s*\(\s*\"(?P<text>(?:[^\"\\]|\\.)*)\"\s*\)"
)
SIGNATURE = re.compile(r"\{([^}]*)\}")
BOX = re.compile(r"\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)")


class _Word(NamedTuple):
    kind: str
    value: Any


def read_ctp(text: str) -> Masks:
    """Read a script of CTP's DicomPixelAnonymizer: signatures in braces, each followed by its rectangles.

    A signature joins tests of attributes by ``*`` (and), ``+`` (or) and ``!`` (not), the latter binding most; a
    rectangle is (left, top, width, height). As in CTP, the first signature that matches an image counts. All other text
    is a title. Raises ValueError, which names the line, for a signature that can't be read or that has an attribute
    that isn't known.
    """
    found = list(SIGNATURE.finditer(text))
    rows = []
    for signature, after in zip(found, [*found[1:], None], strict=True):
        line = text.count("\n", 0, signature.start()) + 1
        behind = text[signature.end() : None if after is None else after.start()]
        boxes = tuple(Rectangle(*map(int, box)) for box in BOX.findall(behind))
        rows.append(Mask(_title(text[: signature.start()], line), _Script(signature[1], line).tree(), boxes))
    return Masks(tuple(rows), first_only=True)


def _title(before: str, line: int) -> str:
    """The last line of text before a signature; its number where that is another signature's rectangles."""
    lines = before.rstrip().splitlines()
    last = lines[-1].strip() if lines else ""
    return last if last and not BOX.search(last) and "}" not in last else f"line {line}"


class _Script:
    """Reads one signature: terms joined by +, factors by *."""

    def __init__(self, text: str, line: int) -> None:
        self._line, self._at = line, 0
        self._words = list(self._split(text))

    def _fail(self, what: str) -> ValueError:
        return ValueError(f"the signature of line {self._line}: {what}")

    def _split(self, text: str) -> Iterator[_Word]:
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            if match is None:
                raise self._fail(f"{text[at : at + 20].strip()!r} is no test, operator or bracket")
            at = match.end()
            if match["sign"]:
                yield _Word(match["sign"], None)
            elif match["always"]:
                yield _Word("test", ("always", match["always"] == "true"))
            elif match["key"]:
                if match["method"] not in METHODS:
                    raise self._fail(f"{match['method']} is no test")
                pattern = re.sub(r"\\(.)", r"\1", match["text"])
                yield _Word("test", (METHODS[match["method"]], self._key(match["key"]), pattern))

    def _key(self, key: str) -> str | int:
        if key.startswith("["):
            tag = int(key[1:5] + key[6:10], 16)
            return OVERLAY_DESCRIPTION if tag == 0x60000022 else tag
        if key == OVERLAY_DESCRIPTION:
            return key
        try:
            Tag(key)
        except (ValueError, KeyError):
            raise self._fail(f"{key} is no attribute") from None
        return key

    def tree(self) -> Any:
        """The whole condition."""
        tree = self._terms()
        if self._at < len(self._words):
            raise self._fail(f"{self._words[self._at].kind!r} where it should end")
        return tree

    def _next(self, *kinds: str) -> _Word | None:
        if self._at < len(self._words) and self._words[self._at].kind in kinds:
            self._at += 1
            return self._words[self._at - 1]
        return None

    def _terms(self) -> Any:
        terms = [self._factors()]
        while self._next("+"):
            terms.append(self._factors())
        return ("or", *terms) if len(terms) > 1 else terms[0]

    def _factors(self) -> Any:
        factors = [self._factor()]
        while self._next("*"):
            factors.append(self._factor())
        return ("and", *factors) if len(factors) > 1 else factors[0]

    def _factor(self) -> Any:
        if self._next("!"):
            return ("not", self._factor())
        if self._next("("):
            if self._at > 200:
                raise self._fail("brackets too deep")
            tree = self._terms()
            if not self._next(")"):
                raise self._fail("a bracket is not closed")
            return tree
        word = self._next("test")
        if word is None:
            raise self._fail("a test is missing")
        return word.value
