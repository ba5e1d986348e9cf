"""Tag: the group and element number of a data element, as one int."""

from __future__ import annotations

from operator import index

from dicomcore._native.base import dictionary as _dictionary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self, SupportsIndex, TypeAlias

__all__ = [
    "DOUBLE_FLOAT_PIXEL_DATA",
    "FLOAT_PIXEL_DATA",
    "ITEM",
    "ITEM_BYTES",
    "ITEM_DELIMITER",
    "PIXEL_DATA",
    "PIXEL_TAGS",
    "SEQUENCE_DELIMITER",
    "SEQUENCE_DELIMITER_BYTES",
    "SPECIFIC_CHARACTER_SET",
    "UNDEFINED_LENGTH",
    "Tag",
    "TagLike",
]


class Tag(int):
    """A data element tag (PS3.5 7.1.1): ``group << 16 | element``, an int that prints as ``(gggg,eeee)``.

    A tag can be made from an int; from a group and an element; from a pair of ints or of hexadecimal strings; from a
    hexadecimal string (``"00100010"``, ``"0x00100010"``); or from a keyword of PS3.6. It compares with all of these,
    and has the hash of the int. Raises OverflowError for numbers beyond 16 or 32 bits, ValueError for a negative number
    or an unknown keyword, TypeError for other types.
    """

    __slots__ = ()

    def __new__(cls, tag: TagLike, element: SupportsIndex | str | None = None) -> Self:
        if element is None:
            if type(tag) is int and 0 <= tag <= 0xFFFFFFFF:
                return int.__new__(cls, tag)
            if type(tag) is cls:
                return tag
            return int.__new__(cls, _number(tag))
        return int.__new__(cls, _pair(tag, element))

    @property
    def group(self) -> int:
        """The group number, 16 bits."""
        return self >> 16

    @property
    def element(self) -> int:
        """The element number within the group, 16 bits."""
        return self & 0xFFFF

    elem = element

    @property
    def is_private(self) -> bool:
        """Whether the group is odd (PS3.5 7.8)."""
        return self & 0x10000 != 0

    @property
    def is_private_creator(self) -> bool:
        """Whether the element reserves a block of private elements: (gggg,0010-00FF), gggg odd (PS3.5 7.8.1)."""
        return self & 0x10000 != 0 and 0x10 <= self & 0xFFFF < 0x100

    @property
    def private_creator(self) -> Tag:
        """The tag of the private creator that reserves this private element's block."""
        return Tag(self & 0xFFFF0000 | self.element >> 8)

    @property
    def json_key(self) -> str:
        """``GGGGEEEE``, as DICOM JSON names an attribute (PS3.18 F.2.2)."""
        return f"{int(self):08X}"

    def __repr__(self) -> str:
        return f"({self >> 16:04X},{self & 0xFFFF:04X})"

    __str__ = __repr__

    # A class that defines __eq__ must define its hash, too. The int's hash lets tag and int find the same dict entry.
    __hash__ = int.__hash__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int):
            return int.__eq__(self, other)
        try:
            return int.__eq__(self, _number(other))
        except (TypeError, ValueError, OverflowError):
            return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return int.__lt__(self, _comparable(other))

    def __le__(self, other: Any) -> bool:
        return int.__le__(self, _comparable(other))

    def __gt__(self, other: Any) -> bool:
        return int.__gt__(self, _comparable(other))

    def __ge__(self, other: Any) -> bool:
        return int.__ge__(self, _comparable(other))


PAIR = r"([0-9A-Fa-f]{4}), ?([0-9A-Fa-f]{4})"  # compiled when first used
TagLike: TypeAlias = "SupportsIndex | str | tuple[int, int] | tuple[str, str] | list[int] | list[str]"


def _number(tag: Any) -> int:
    if isinstance(tag, str):
        return _text(tag)
    if isinstance(tag, tuple | list):
        if len(tag) != 2:
            raise ValueError(f"{tag!r} is not a tag: two numbers are wanted, group and element")
        return _pair(*tag)
    return _ranged(_index(tag), 0xFFFFFFFF, tag)


def _text(tag: str) -> int:
    # No keyword of PS3.6 is also a hexadecimal number, so the order does not matter.
    known = _dictionary.tag_for_keyword(tag)
    if known is not None:
        return known
    import re

    pair = re.fullmatch(PAIR, tag[1:-1] if tag.startswith("(") and tag.endswith(")") else tag)
    if pair:
        return int(pair[1] + pair[2], 16)
    try:
        number = int(tag, 16)
    except ValueError:
        raise ValueError(f"{tag!r} is not a tag: no keyword of PS3.6 and no hexadecimal number") from None
    return _ranged(number, 0xFFFFFFFF, tag)


def _pair(group: Any, element: Any) -> int:
    if type(group) is int and type(element) is int and 0 <= group <= 0xFFFF and 0 <= element <= 0xFFFF:
        return group << 16 | element
    whole = (group, element)
    if isinstance(group, str) != isinstance(element, str):
        raise TypeError(f"{whole!r} is not a tag: group and element must be two ints or two strings")
    if isinstance(group, str):
        group, element = int(group, 16), int(element, 16)
    return _ranged(_index(group), 0xFFFF, whole) << 16 | _ranged(_index(element), 0xFFFF, whole)


def _index(value: Any) -> int:
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"{value!r} is not a tag: an int, a pair, a keyword or hexadecimal digits are wanted") from None


def _ranged(number: int, largest: int, source: object) -> int:
    if number < 0:
        raise ValueError(f"{source!r} is not a tag: it is negative")
    if number > largest:
        raise OverflowError(f"{source!r} is not a tag: {number:#x} exceeds {largest:#x}")
    return number


def _comparable(other: Any) -> int:
    if isinstance(other, int):
        return other
    try:
        return _number(other)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"a tag does not compare with {other!r}") from None


ITEM = Tag(0xFFFEE000)
ITEM_DELIMITER = Tag(0xFFFEE00D)
SEQUENCE_DELIMITER = Tag(0xFFFEE0DD)
SPECIFIC_CHARACTER_SET = Tag(0x00080005)
PIXEL_DATA = Tag(0x7FE00010)
FLOAT_PIXEL_DATA = Tag(0x7FE00008)
DOUBLE_FLOAT_PIXEL_DATA = Tag(0x7FE00009)
PIXEL_TAGS = tuple(map(int, (PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA)))
"""The elements that hold pixel data, as plain ints, which compare faster than tags."""

UNDEFINED_LENGTH = 0xFFFFFFFF
"""The value length of an element or item that ends with a delimiter (PS3.5 7.1.1)."""
ITEM_BYTES, SEQUENCE_DELIMITER_BYTES = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
"""The tags around fragments as they are encoded: encapsulated pixel data is always little endian (PS3.5 A.4)."""
