"""The Native DICOM Model in XML of a data set (PS3.19 A.1), written piece by piece."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING, Any

from dicomcore._native.forms.json import settled_vr
from dicomcore.dataset.paths import Below, unfolded
from dicomcore.dataset.state import is_changed, loose_bytes
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
"""Characters that XML 1.0 can't have, not even as references."""
LOST = re.compile("\ufffd")
"""Stands where bytes couldn't be decoded."""
UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
SURROGATE = re.compile("[\ud800-\udfff]")
MARKUP = re.compile("[&<>\r]")
QUOTED_MARKUP = re.compile('[&<>"\t\n\r]')


def xml_pieces(
    data_set: Dataset, bulk_data_threshold: int, bulk_data_element_handler: BulkHandler | None, file_meta: bool
) -> Iterator[str]:
    """The document in pieces of an attribute's size; see `Dataset.to_xml`."""
    writer = _Writer(max(bulk_data_threshold, 0) // 4 * 3, bulk_data_element_handler)
    yield HEAD
    if file_meta and data_set.file_meta is not None:
        yield from writer.pieces(data_set.file_meta)
    yield from writer.pieces(data_set)
    yield TAIL


class _Blocks:
    """The private blocks of a data set (PS3.5 7.8.1), as far as it was gone through."""

    def __init__(self) -> None:
        self.creators: dict[int, str] = {}  # by the tag of the creator
        self.first: dict[tuple[int, str], int] = {}  # the tag of its first block's creator, by group and name

    def note(self, element: DataElement) -> None:
        """Take note of a private creator."""
        name = element.value
        if element.tag.is_private_creator and isinstance(name, str) and name and not NO_XML.search(name):
            self.creators[int(element.tag)] = name
            self.first.setdefault((element.tag.group, name), int(element.tag))

    def written(self, element: DataElement) -> tuple[int, str]:
        """The tag that is written, without its block where the creator tells which that is, and the creator or ""."""
        tag = int(element.tag)
        if not element.is_private or tag & 0xFFFF < 0x1000:
            return tag, ""
        home = tag & 0xFFFF0000 | tag >> 8 & 0xFF
        name = self.creators.get(home, "")
        alone = name and self.first[tag >> 16, name] == home
        return (tag & 0xFFFF00FF if alone else tag), name


class _Writer:
    def __init__(self, most: int, bulk: BulkHandler | None) -> None:
        self.most = most
        self.bulk = bulk

    def pieces(self, data_set: Dataset) -> Iterator[str]:
        """The attributes of a data set and all below it."""
        return unfolded(data_set, self.attributes(data_set))

    def attributes(self, data_set: Dataset) -> Iterator[str | Below[str]]:
        """The attributes of one data set."""
        blocks = _Blocks()
        for element in data_set:
            if not element.tag.element:
                continue  # group lengths stay out
            tag, creator = blocks.written(element)
            loose = loose_bytes(element)  # text where items were due goes as what it is
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
        """The elements for the values of an attribute that is no sequence."""
        value = plain_value(vr, element.value)
        if isinstance(value, bytes | bytearray | memoryview):
            if self.bulk is not None and len(value) > self.most:
                uri = self.bulk(element)
                if NO_XML.search(uri):
                    raise EncodeError("bulk_data_element_handler gives a URI with characters that XML can't have")
                return f'<BulkData uri="{QUOTED_MARKUP.sub(_reference, uri)}"/>\n'
            return _inline(_little(element, bytes(value)))
        values = value if isinstance(value, list) else [] if value is None or value == "" else [value]
        texts = _number_texts(element, vr, values)
        if any(map(SURROGATE.search, texts)):
            raise EncodeError("half a surrogate pair is no character")
        if any(map(LOST.search if vr in TEXTS else UNPRINTABLE.search, texts)) and _stands(element):
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


def _little(element: DataElement, value: bytes) -> bytes:
    """Bytes with their words in little endian, the only order that XML's readers can take them to be in."""
    array = None if element.raw is None else element.array  # what was set is in little endian
    if array is None or array.dtype.byteorder != ">":
        return value
    swapped = array.byteswap().tobytes()
    return swapped + value[len(swapped) :]


def _number_texts(element: DataElement, vr: str, values: list[Any]) -> list[str]:
    """Values as text; DS and IS as they were written, where they were read and not changed."""
    if vr in ("DS", "IS") and values and _stands(element):
        texts = number_texts(bytes(element.raw or b""))
        if texts is not None and len(texts) == len(values):
            return texts
    return [_text(vr, value) for value in values]


def _stands(element: DataElement) -> bool:
    """Whether the bytes of the source tell the value: it was read, and not changed."""
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
    """A person's name: groups and components that aren't empty, and the last one of a group, which says how many
    there are."""
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
