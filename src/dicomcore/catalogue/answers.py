"""Rows of a catalogue as identifiers: what a query asks for, in a character set that holds it."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import inf
from typing import Any

from dicomcore.catalogue.attributes import KEYS, LEVELS, above, level_of
from dicomcore.catalogue.matching import Term
from dicomcore.catalogue.naming import element_named, name_of
from dicomcore.catalogue.rows import row_of
from dicomcore.catalogue.zones import ZONE, has_moments, known_offset
from dicomcore.charset import NAME_DELIMITERS, charset_for
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.lookup import items_of, text_of
from dicomcore.dictionary import dictionary_VR, keyword_for_tag, tag_for_keyword
from dicomcore.encoding import encode
from dicomcore.errors import EncodeError
from dicomcore.uids import UID

__all__ = ["Answers", "answered", "identifier", "say_character_set", "texts_of_row"]

UTF_8 = "ISO_IR 192"
SPECIFIC_CHARACTER_SET = 0x00080005
TIME_ZONE = 0x00080201
SKIPPED = frozenset({SPECIFIC_CHARACTER_SET, 0x00080052, TIME_ZONE})
SINGLE = frozenset({"LT", "ST", "UR", "UT"})  # VRs of one value, in which a backslash is text (PS3.5 6.2)
LONG = frozenset({"UC", "UR", "UT"})  # VRs whose length takes four bytes (PS3.5 7.1.2)
TEXTS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})  # what Specific Character Set is for (PS3.5 6.1.2.2)
CODES = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"})
RANGES = {"US": (0, 0xFFFF), "SS": (-0x8000, 0x7FFF), "UL": (0, 0xFFFFFFFF), "SL": (-0x80000000, 0x7FFFFFFF)}
FLOATS = frozenset({"FD", "FL"})
LONGEST = 0xFFFE  # bytes of a value whose length takes two bytes
REMEMBERED = 4096  # values of an attribute whose elements are kept


def identifier(row: dict[str, Any], asked: Dataset, level: str, *, terms: Iterable[Term] = (), **extra: str) -> Dataset:
    """The identifier of a match: the keys that were asked for, those that are not kept empty, and the unique keys.

    Text is in the character set of what was asked if that holds it, else in UTF-8; unless it is plain ASCII, and the
    other side said nothing, the answer says which. A value that its VR cannot hold is left empty. Of sequences there
    are the items that match the `terms` of the query, with what was asked for (PS3.4 C.2.2.2.6). Where times are asked
    for, the answer has their offset from UTC, if it is known (PS3.4 C.4.1.1.3.2).
    """
    made = Dataset()
    texts: list[str] = []
    for tag in _wanted(asked, level, row):
        element = asked[tag] if tag in asked else None  # noqa: SIM401  get() gives values for keywords
        if element is not None and element.tag.is_private_creator:
            made.add(element)
            continue
        name = keyword_for_tag(tag) if element is None else name_of(asked, element)
        value = row.get(name)
        if isinstance(value, list):
            value = _matching_items(value, name, element, terms)
            made.add_new(tag, "SQ", [_item(one) for one in value])
        elif keyword_for_tag(tag):
            vr = dictionary_VR(tag)
            made.add(DataElement(tag, vr, _value(vr, value)))
        elif element is not None:
            made.add(DataElement(tag, element.VR, _value(element.VR, value)))
        texts += _texts(value)
    made.QueryRetrieveLevel = level
    zone = known_offset(row.get(ZONE))
    if zone and has_moments(asked):
        made.TimezoneOffsetFromUTC = zone
    for name, value in extra.items():
        setattr(made, name, value)
    say_character_set(made, asked, texts)
    return made


def say_character_set(answer: Dataset, asked: Dataset, texts: Iterable[str]) -> None:
    """Give an answer the character set of what was asked if that holds all texts, else UTF-8.

    An answer in plain ASCII says nothing if the other side did not.
    """
    terms = asked_terms(asked)
    if not all(held(terms, text) for text in texts):
        answer.SpecificCharacterSet = UTF_8
    elif terms:
        answer.SpecificCharacterSet = list(terms) if len(terms) > 1 else terms[0]


def asked_terms(asked: Dataset) -> tuple[str, ...]:
    """The terms of Specific Character Set in an identifier; none where they are faulty, or the default repertoire."""
    value = asked.get("SpecificCharacterSet")
    terms = tuple(str(one or "") for one in (value if isinstance(value, list) else [value or ""]))
    return terms if any(terms) and not charset_for(terms).problems else ()


@lru_cache(maxsize=4096)
def held(terms: tuple[str, ...], text: str) -> bool:
    """Whether character sets hold a text, and give it back as it is."""
    if text.isascii():
        return True
    if not terms:
        return False
    charset = charset_for(terms)
    try:
        return charset.decode_person_name(charset.encode(text, delimiters=NAME_DELIMITERS))[0] == text
    except EncodeError:
        return False


def _wanted(asked: Dataset, level: str, kept: Iterable[str]) -> list[int]:
    """Tags of an answer: those that were asked for, and the unique keys of the levels down to `level`."""
    tags = {int(element.tag) for element in asked} - SKIPPED
    unique = (tag_for_keyword(name) for name in _unique(level) if name in kept)
    return sorted(tags | {int(tag) for tag in unique if tag is not None})


def _unique(level: str) -> list[str]:
    return [KEYS[one] for one in above(level)]


def _matching_items(
    rows: list[dict[str, Any]], name: str, element: DataElement | None, terms: Iterable[Term]
) -> list[dict[str, Any]]:
    """The items of a sequence that match, each with the keys of the item that was asked for, if it has any."""
    inner = element.value[0] if element is not None and element.VR == "SQ" and element.value else None
    names = [one.keyword for one in inner] if inner is not None else []
    found = [term.inner for term in terms if term.keyword == name and term.kind == "items"]
    kept = [row for row in rows if all(one.is_matched_by(row) for below in found for one in below)]
    return [{one: row.get(one, "") for one in names} for row in kept] if names else kept


def _item(values: dict[str, Any]) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        if tag is not None and isinstance(value, list):
            item.add_new(tag, "SQ", [_item(one) for one in value])
        elif tag is not None:
            vr = dictionary_VR(tag)
            item.add(DataElement(tag, vr, _value(vr, value)))
    return item


def _value(vr: str, value: Any) -> Any:
    if value is None or value == "":
        return [] if vr == "SQ" else None
    text = str(value)
    if vr in RANGES or vr in FLOATS:
        return _number(vr, text)
    if (vr in CODES and not text.isascii()) or vr not in CODES | TEXTS:
        return None
    return text.split("\\") if "\\" in text and vr not in SINGLE else text


def _number(vr: str, text: str) -> Any:
    """A number, or several; None if the VR cannot hold them."""
    try:
        numbers: list[Any] = [float(one) if vr in FLOATS else int(one) for one in text.split("\\")]
    except ValueError:
        return None
    low, high = RANGES.get(vr, (-inf, inf))
    if not all(low <= number <= high for number in numbers):
        return None
    return numbers[0] if len(numbers) == 1 else numbers


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        for item in value:
            for one in item.values():
                yield from _texts(one)
    elif value is not None:
        yield str(value)


def answered(asked: Dataset, item: Dataset, terms: Iterable[Term] = ()) -> Dataset:
    """What was asked for of a data set, at every level; what it lacks is empty. It says the offset of its times.

    Of sequences there are the items that match the `terms` of the query (PS3.4 C.2.2.2.6).
    """
    made = _answered(asked, item, terms)
    zone = known_offset(text_of(item, ZONE))
    if zone and has_moments(asked):
        made.TimezoneOffsetFromUTC = zone
    return made


def _answered(asked: Dataset, item: Dataset, terms: Iterable[Term]) -> Dataset:
    made, wanted = Dataset(), {term.keyword: term.inner for term in terms if term.kind == "items"}
    for element in asked:
        tag = element.tag
        if int(tag) in SKIPPED:
            continue
        if tag.is_private_creator:
            made.add(element)
            continue
        if element.VR != "SQ":
            there = element_named(item, name_of(asked, element))
            made.add_new(tag, element.VR, None if there is None else there.value)
            continue
        inner = element.value[0] if element.value else None
        below = wanted.get(element.keyword, ())
        found = [one for one in items_of(item, element.keyword) if not below or _matches(below, one)]
        made.add_new(tag, "SQ", [one.copy() if inner is None else _answered(inner, one, below) for one in found])
    return made


def _matches(terms: Iterable[Term], item: Dataset) -> bool:
    row = row_of(item)
    return all(term.is_matched_by(row) for term in terms)


def texts_of_row(row: dict[str, Any]) -> Iterable[str]:
    """All texts of a row and of the items in it."""
    for value in row.values():
        yield from _texts(value)


class Answers:
    """The identifiers of one query's matches as bytes: the same as `identifier` encoded, but what does not change from
    match to match is made once.

    `keywords` are the attributes whose values `encoded` takes, in this order.
    """

    def __init__(
        self, asked: Dataset, level: str, transfer_syntax: str, *, terms: Iterable[Term] = (), **extra: str
    ) -> None:
        self._asked, self._level, self._extra, self._syntax = asked, level, extra, transfer_syntax
        self._query_terms = tuple(terms)
        tags = _wanted(asked, level, _unique(level)) + [TIME_ZONE] * has_moments(asked)
        found = {tag: keyword_for_tag(tag) for tag in sorted(tags)}
        kept = {tag: name for tag, name in found.items() if name and _is_kept(name, level)}
        self.keywords = tuple(kept.values())
        self._terms = asked_terms(asked)  # what the other side said
        said = self._terms or (UTF_8,)
        self._charset = self._element(SPECIFIC_CHARACTER_SET, "CS", list(said) if len(said) > 1 else said[0])
        self._foreign: set[Any] = set()  # values that need another character set than what the other side said
        self._makers: list[_Elements] = []
        self._tail = b""
        self._is_planned = (
            not UID(transfer_syntax).is_deflated
            and min(found, default=0) > SPECIFIC_CHARACTER_SET
            and all(dictionary_VR(tag) != "SQ" for tag in kept)
            and not any(element.tag.is_private for element in asked)
        )
        if self._is_planned:
            self._plan(kept)

    def _plan(self, kept: dict[int, str]) -> None:
        """What makes each element of an answer, with the bytes that always stand in front of it."""
        fixed = self._identifier({})
        before = b""
        for tag in sorted(({int(element.tag) for element in fixed} | set(kept)) - {SPECIFIC_CHARACTER_SET}):
            if tag in kept:
                self._makers.append(_Elements(self, tag, before))
                before = b""
            else:
                before += self._element(tag, fixed[tag].VR, fixed[tag].value)
        self._tail = before

    def _element(self, tag: int, vr: str, value: Any) -> bytes:
        made = Dataset()
        made.add(DataElement(tag, vr, value))
        return encode(made, self._syntax)

    def encoded(self, row: Sequence[Any]) -> bytes:
        """The identifier of a match, in the transfer syntax; `row` are the values of `keywords`."""
        if not self._is_planned:
            values = dict(zip(self.keywords, row, strict=True))
            return encode(self._identifier(values), self._syntax)
        made = b"".join([elements[value] for elements, value in zip(self._makers, row, strict=True)]) + self._tail
        is_foreign = bool(self._foreign) and not self._foreign.isdisjoint(row)
        if is_foreign and self._terms:
            values = dict(zip(self.keywords, row, strict=True))
            made = encode(self._identifier(values), self._syntax)
        elif is_foreign or self._terms:
            made = self._charset + made
        if len(self._foreign) > REMEMBERED:
            self._foreign.clear()
            for elements in self._makers:
                elements.clear()
        return made

    def _identifier(self, values: dict[str, Any]) -> Dataset:
        return identifier(values, self._asked, self._level, terms=self._query_terms, **self._extra)

    def element(self, tag: int, value: Any) -> bytes:
        """An element of an answer by the general way, which notes a value that needs another character set."""
        vr = dictionary_VR(tag)
        if value is None or str(value).isascii():
            return self._element(tag, vr, _value(vr, value))
        if not held(self._terms, str(value)):
            self._foreign.add(value)
        made = Dataset()
        terms = self._terms if self._terms and value not in self._foreign else (UTF_8,)
        made.SpecificCharacterSet = list(terms) if len(terms) > 1 else terms[0]
        made.add(DataElement(tag, vr, _value(vr, value)))
        return encode(made, self._syntax)[len(self._element(SPECIFIC_CHARACTER_SET, "CS", made.SpecificCharacterSet)) :]

    @property
    def is_explicit(self) -> bool | None:
        """Whether elements have their VR, in little endian; None in big endian."""
        uid = UID(self._syntax)
        return None if not uid.is_little_endian else not uid.is_implicit_VR


class _Elements(dict[Any, bytes]):
    """Encoded elements of one attribute by their values: most values of a query's matches come again."""

    def __init__(self, answers: Answers, tag: int, before: bytes) -> None:
        self._answers, self._tag, self._before = answers, tag, before
        vr = dictionary_VR(tag)
        self._padding = b"\0" if vr == "UI" else b" "
        self._is_text = vr in TEXTS | CODES and answers.is_explicit is not None and vr not in LONG
        group = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        self._head = before + group + (vr.encode() if answers.is_explicit else b"")
        self._length = "<H" if answers.is_explicit else "<I"

    def __missing__(self, value: Any) -> bytes:
        if len(self) >= REMEMBERED:
            self.clear()
        if self._tag == TIME_ZONE and not known_offset(value):  # never of zero length (PS3.4 C.4.1.1.3.2)
            made = self._before
        elif self._is_text and type(value) is str and _is_plain(value):
            data = value.encode()
            data += self._padding * (len(data) & 1)
            made = self._head + struct.pack(self._length, len(data)) + data
        else:
            made = self._before + self._answers.element(self._tag, value)
        self[value] = made
        return made


def _is_plain(value: str) -> bool:
    """Whether a value is encoded as it is in every VR of text."""
    return (
        value.isascii()
        and value.isprintable()
        and "\\" not in value
        and len(value) <= LONGEST
        and value.strip() == value
    )


def _is_kept(keyword: str, level: str) -> bool:
    at = level_of(keyword)
    return at is not None and LEVELS.index(at) <= LEVELS.index(level)
