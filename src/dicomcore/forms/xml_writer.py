"""Write a data set as the Native DICOM Model in XML (PS3.19 A.1), piece by piece."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING, Any

from dicomcore._native.forms.json import settled_vr
from dicomcore.dataset.paths import Below, unfolded
from dicomcore.dataset.state import is_changed, loose_bytes, meta_of
from dicomcore.errors import EncodeError
from dicomcore.forms.attribute import GROUPS, number_texts, plain_value, special, whole
from dicomcore.vrs import NUMBERS, TEXTS

if TYPE_CHECKING:
    from dicomcore.dataset import DataElement, Dataset
    from dicomcore.forms.json_text import BulkHandler

__all__ = ["COMPONENTS", "NAMESPACE", "xml_pieces"]

NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">\n'
TAIL = "</NativeDicomModel>\n"

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, not even as references."""
LOST = re.compile("\ufffd")
"""The character that replaces bytes which could not be decoded."""
UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
SURROGATE = re.compile("[\ud800-\udfff]")
MARKUP = re.compile("[&<>\r]")
QUOTED_MARKUP = re.compile('[&<>"\t\n\r]')


def xml_pieces(
    data_set: Dataset, bulk_data_threshold: int, bulk_data_element_handler: BulkHandler | None, file_meta: bool
) -> Iterator[str]:
    """Yield the document in pieces of about one attribute; see `Dataset.to_xml`."""
    writer = _Writer(max(bulk_data_threshold, 0) // 4 * 3, bulk_data_element_handler)
    yield HEAD
    meta = meta_of(data_set) if file_meta else None
    if meta is not None:
        yield from writer.pieces(meta)
    yield from writer.pieces(data_set)
    yield TAIL


class _Blocks:
    """The private blocks of a data set that were met so far (PS3.5 7.8.1)."""

    def __init__(self) -> None:
        self.creators: dict[int, str] = {}  # creator by the tag of its element
        self.first: dict[tuple[int, str], int] = {}  # tag of the creator's first element, by group and creator

    def note(self, element: DataElement) -> None:
        """Record the element if it is a private creator."""
        name = element.value
        if element.tag.is_private_creator and isinstance(name, str) and name and not NO_XML.search(name):
            self.creators[int(element.tag)] = name
            self.first.setdefault((element.tag.group, name), int(element.tag))

    def tag_and_creator(self, element: DataElement) -> tuple[int, str]:
        """Return the tag to write and the private creator or "".

        The tag has no block number if the creator identifies the block.
        """
        tag = int(element.tag)
        if not element.is_private or tag & 0xFFFF < 0x1000:
            return tag, ""
        creator_tag = tag & 0xFFFF0000 | tag >> 8 & 0xFF
        creator = self.creators.get(creator_tag, "")
        identifies = creator and self.first[tag >> 16, creator] == creator_tag
        return (tag & 0xFFFF00FF if identifies else tag), creator


class _Writer:
    def __init__(self, threshold: int, bulk: BulkHandler | None) -> None:
        self.threshold = threshold
        self.bulk = bulk

    def pieces(self, data_set: Dataset) -> Iterator[str]:
        """Yield the attributes of a data set and of all its items."""
        return unfolded(data_set, self.attributes(data_set))

    def attributes(self, data_set: Dataset) -> Iterator[str | Below[str]]:
        """Yield the attributes of one data set, and `Below` in place of the attributes of an item."""
        blocks = _Blocks()
        for element in data_set:
            if not element.tag.element:
                continue  # a group length
            tag, creator = blocks.tag_and_creator(element)
            loose = loose_bytes(element)  # bytes of a sequence that are not items are written as UN
            vr = "UN" if loose else settled_vr(element, data_set)
            head = f'<DicomAttribute tag="{tag:08X}" vr="{vr}"'
            if element.keyword:
                head += f' keyword="{element.keyword}"'
            if creator:
                head += f' privateCreator="{QUOTED_MARKUP.sub(_reference, creator)}"'
            yield head + ">\n"
            if loose:
                yield _inline(loose)
            elif vr == "SQ":
                for number, item in enumerate(element.value, 1):
                    yield f'<Item number="{number}">\n'
                    yield Below(item, self.attributes(item))
                    yield "</Item>\n"
            else:
                try:
                    yield self.values(element, vr)
                except (ValueError, TypeError, OverflowError) as error:
                    raise EncodeError(f"{element.tag} {element.keyword}: {error}") from error
                if element.is_private:
                    blocks.note(element)
            yield "</DicomAttribute>\n"

    def values(self, element: DataElement, vr: str) -> str:
        """Return the XML elements of the values of an attribute that is not a sequence."""
        value = plain_value(vr, element.value)
        if isinstance(value, bytes | bytearray | memoryview):
            if self.bulk is not None and len(value) > self.threshold:
                uri = self.bulk(element)
                if NO_XML.search(uri):
                    raise EncodeError("bulk_data_element_handler returned a URI that has characters XML does not allow")
                return f'<BulkData uri="{QUOTED_MARKUP.sub(_reference, uri)}"/>\n'
            return _inline(_little_endian(element, bytes(value)))
        values = value if isinstance(value, list) else [] if value is None or value == "" else [value]
        texts = _number_texts(element, vr, values)
        if any(map(SURROGATE.search, texts)):
            raise EncodeError("half a surrogate pair is not a character")
        if any(map(LOST.search if vr in TEXTS else UNPRINTABLE.search, texts)) and _is_unchanged(element):
            return _inline(bytes(element.raw or b""))
        if any(map(NO_XML.search, texts)):
            return _inline("\\".join(texts).encode())
        if vr == "PN":
            return "".join(_name(text, number) for number, text in enumerate(texts, 1))
        return "".join(
            f'<Value number="{number}">{MARKUP.sub(_reference, text)}</Value>\n' for number, text in enumerate(texts, 1)
        )


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match.group())};"


def _inline(data: bytes) -> str:
    return f"<InlineBinary>{base64.b64encode(data).decode('ascii')}</InlineBinary>\n" if data else ""


def _little_endian(element: DataElement, value: bytes) -> bytes:
    """Return the bytes with their words in little endian: an XML document does not state a byte order."""
    array = None if element.raw is None else element.array  # a value that was set is little endian
    if array is None or array.dtype == array.dtype.newbyteorder("<"):
        return value
    swapped = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return swapped + value[len(swapped) :]


def _number_texts(element: DataElement, vr: str, values: list[Any]) -> list[str]:
    """Convert values to text; unchanged DS and IS keep the text of the source."""
    if vr in ("DS", "IS") and values and _is_unchanged(element):
        texts = number_texts(bytes(element.raw or b""))
        if texts is not None and len(texts) == len(values):
            return texts
    return [_text(vr, value) for value in values]


def _is_unchanged(element: DataElement) -> bool:
    """Whether the value was read and not changed, so that the bytes of the source still apply."""
    return element.raw is not None and not is_changed(element)


def _text(vr: str, value: Any) -> str:
    if value is None or (isinstance(value, str) and vr not in NUMBERS):
        return "" if value is None else str(value)
    if vr == "AT":
        return f"{int(value):08X}"
    if isinstance(value, float) and not isfinite(value):
        return special(value)
    if vr in ("FL", "FD", "DS") or (vr == "IS" and isinstance(value, float) and not value.is_integer()):
        return repr(float(value))
    return str(whole(vr, value))


def _name(name: str, number: int) -> str:
    """Write a person's name: the groups and components that are not empty.

    The last component of a group is written even if empty, as it shows the number of components.
    """
    lines = [f'<PersonName number="{number}">\n']
    for group, text in zip(GROUPS, name.split("=", 2), strict=False):
        if not text:
            continue
        parts = text.split("^", 4)
        lines.append(f"<{group}>\n")
        for i, (component, part) in enumerate(zip(COMPONENTS, parts, strict=False), 1):
            if part or i == len(parts):
                lines.append(f"<{component}>{MARKUP.sub(_reference, part)}</{component}>\n")
        lines.append(f"</{group}>\n")
    return "".join([*lines, "</PersonName>\n"])
