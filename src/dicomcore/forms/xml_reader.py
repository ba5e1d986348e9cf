"""Data sets from the Native DICOM Model in XML (PS3.19 A.1), as the document streams by.

Expat does the parsing. A document type declaration is refused, and with it every entity: that leaves nothing to expand
and nothing to fetch.
"""

from __future__ import annotations

import re
from typing import Any, Protocol
from xml.parsers import expat

from dicomcore.dataset import Dataset, Sequence
from dicomcore.errors import ParseError
from dicomcore.forms.attribute import GROUPS
from dicomcore.forms.builder import Builder
from dicomcore.forms.fragments import joined
from dicomcore.forms.json_reader import UriHandler, as_handler
from dicomcore.forms.place import Place
from dicomcore.forms.typed import from_base64
from dicomcore.forms.unknown import known_vr
from dicomcore.forms.xml_writer import COMPONENTS, NAMESPACE
from dicomcore.limits import Limits
from dicomcore.vrs import BYTES, NAMES, TEXTS

__all__ = ["Readable", "from_xml"]

CHUNK = 1 << 16
TAG = re.compile("[0-9A-F]{8}")
ENCODINGS = re.compile(
    "utf-?(8|16([bl]e)?)|(us-)?ascii|iso-8859-(1[0-13-6]?|[2-9])|windows-125[0-8]|koi8-[ru]", re.IGNORECASE
)
INSIDE = {  # element: those that it can stand in
    "NativeDicomModel": {""},
    "DicomAttribute": {"NativeDicomModel", "Item"},
    **{value: {"DicomAttribute"} for value in ("Value", "Item", "PersonName", "DataFragment")},
    **{value: {"DicomAttribute", "DataFragment"} for value in ("InlineBinary", "BulkData")},
    **{group: {"PersonName"} for group in GROUPS},
    **{component: set(GROUPS) for component in COMPONENTS},
}
NUMBER = re.compile("[1-9][0-9]{0,8}")
MOST_LEFT_OUT = 1024
"""Values that a number may leave out: a few bytes are not to ask for much memory."""
WITH_TEXT = {"Value", "InlineBinary", *COMPONENTS}


class Readable(Protocol):
    """A binary stream, as far as it is asked for anything."""

    def read(self, size: int, /) -> bytes:
        """Some bytes, about `size`; none at the end."""
        ...  # pragma: no cover


def from_xml(
    source: str | bytes | bytearray | Readable,
    *,
    bulk_data_uri_handler: UriHandler | None = None,
    limits: Limits | None = None,
    cls: Any = None,
) -> Any:
    """A data set from a Native DICOM Model document, see `Dataset.from_xml`."""
    reader = _Reader(Builder(limits, cls), bulk_data_uri_handler)
    # Text was decoded already, whatever the document says of its encoding.
    parser = expat.ParserCreate("utf-8" if isinstance(source, str) else None, " ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.doctype
    if not isinstance(source, str):
        parser.XmlDeclHandler = reader.declaration
    try:
        if isinstance(source, str | bytes | bytearray):
            data = source.encode() if isinstance(source, str) else bytes(source)
            for at in range(0, len(data), CHUNK):
                parser.Parse(data[at : at + CHUNK], False)
        else:
            while chunk := source.read(CHUNK):
                parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        said = f"{reader.where()}no XML: {error}"
        raise ParseError(said, offset=max(parser.ErrorByteIndex, 0)) from None  # expat says -1 of an empty document
    except UnicodeEncodeError as error:
        raise ParseError(f"half a surrogate pair at character {error.start}", offset=error.start) from None
    return reader.builder.root


class _Attribute:
    """A DicomAttribute that is open."""

    def __init__(self, place: Place, home: Dataset | None, vr: str, items: Sequence | None) -> None:
        self.place, self.home, self.vr, self.items = place, home, vr, items
        self.kind = ""  # the name of what stands inside
        self.values: list[Any] = []  # by number; None for one that hasn't come yet
        self.lacks = False  # bytes of a fragment that nobody fetched
        self.number = 0  # of the one at hand, from 0


class _Level:
    """A data set that is open, with the private blocks it is known to have: creators by group and name."""

    def __init__(self, data_set: Dataset, prefix: str) -> None:
        self.data_set, self.prefix = data_set, prefix
        self.blocks: dict[tuple[int, str], int] = {}


class _Reader:
    """What is open in the document: element names, data sets and attributes, each innermost last."""

    def __init__(self, builder: Builder, handler: UriHandler | None) -> None:
        self.builder = builder
        self.fetch = as_handler(handler)
        self.names: list[str] = [""]
        self.levels = [_Level(builder.root, "")]
        self.attributes: list[_Attribute] = []
        self.text: list[str] = []
        self.name: dict[str, list[str]] = {}  # the PersonName at hand: components by group

    def where(self) -> str:
        """The attribute at hand, with a colon; "" outside of any."""
        return f"{self.attributes[-1].place}: " if self.attributes else ""

    def fault(self, said: str) -> ParseError:
        return self.attributes[-1].place.fault(said) if self.attributes else ParseError(said)

    # -- what expat calls

    def declaration(self, _: str, encoding: str | None, __: int) -> None:
        # Python is asked for what expat doesn't know, and raises errors of its own for what is no set of characters.
        if encoding is not None and ENCODINGS.fullmatch(encoding) is None:
            raise ParseError(f"the encoding {encoding[:40]!r} is none that is read; UTF-8 always is")

    def doctype(self, *_: Any) -> None:
        raise ParseError("a document type declaration is refused: it could declare entities")

    def start(self, full_name: str, given: dict[str, str]) -> None:
        space, _, name = full_name.rpartition(" ")
        if space not in ("", NAMESPACE) or name not in INSIDE:
            raise self.fault(f"<{name[:40]}> is none of the Native DICOM Model's")
        if self.names[-1] not in INSIDE[name]:
            raise self.fault(f"<{name}> inside <{self.names[-1] or 'nothing'}>")
        self.names.append(name)
        self.text.clear()
        if name == "DicomAttribute":
            self.open_attribute(given)
        elif self.names[-2] == "DicomAttribute":
            self.open_value(name, given)
        elif self.names[-2] == "DataFragment":
            self.open_fragment(name, given)
        elif name in GROUPS:
            if name in self.name:
                raise self.fault(f"{name} stands twice")
            self.name[name] = []

    def characters(self, text: str) -> None:
        if self.names[-1] in WITH_TEXT:
            self.text.append(text)
        elif text.strip():
            raise self.fault(f"text inside <{self.names[-1]}>")

    def end(self, _: str) -> None:
        name = self.names.pop()
        if name == "DicomAttribute":
            self.close_attribute(self.attributes.pop())
        elif name == "Item":
            self.levels.pop()
        elif name in COMPONENTS:
            self.close_component(name)
        elif name == "InlineBinary" and self.names[-1] == "DataFragment":
            at = self.attributes[-1]
            at.values[at.number] = from_base64("".join(self.text), at.place)
        elif name in ("Value", "InlineBinary"):
            at = self.attributes[-1]
            at.values[at.number] = "".join(self.text)
        elif name == "PersonName":
            groups = {group: "^".join(parts) for group, parts in self.name.items()}
            at = self.attributes[-1]
            at.values[at.number] = groups

    # -- attributes

    def open_attribute(self, given: dict[str, str]) -> None:
        level = self.levels[-1]
        text = given.get("tag", "")
        if not TAG.fullmatch(text):
            raise ParseError(f"{level.prefix}{text[:40]}: a tag is eight hexadecimal digits in upper case")
        tag = self.blocked(level, int(text, 16), given.get("privateCreator", ""))
        place = Place(level.prefix, tag)
        vr = given.get("vr") or _known_vr(place, given.get("privateCreator", ""))
        if vr not in NAMES:
            raise place.fault(f"{vr[:16]!r} is not a VR")
        home = self.builder.home(level.data_set, place)
        items = None
        if vr == "SQ":
            if home is None:
                raise place.fault("a group length is no sequence")
            items = self.builder.sequence(home, place)
        self.attributes.append(_Attribute(place, home, vr, items))

    def blocked(self, level: _Level, tag: int, creator: str) -> int:
        """The tag with the block that the creator has in this data set, reserved if it has none yet."""
        if not tag & 0x10000 or not creator or tag & 0xFF00:
            return tag
        block = level.blocks.get((tag >> 16, creator))
        if block is None:
            taken = {number for (group, _), number in level.blocks.items() if group == tag >> 16}
            free = (n for n in range(0x10, 0x100) if n not in taken and tag & 0xFFFF0000 | n not in level.data_set)
            block = next(free, 0)
            place = Place(level.prefix, tag & 0xFFFF0000 | block)
            if not block:
                raise place.fault("no private block is free")
            self.builder.add(level.data_set, place, "LO", creator)
            level.blocks[tag >> 16, creator] = block
        return tag | block << 8

    def open_value(self, name: str, given: dict[str, str]) -> None:
        at = self.attributes[-1]
        if at.kind and (name != at.kind or name in ("InlineBinary", "BulkData")):
            raise self.fault(f"<{name}> behind <{at.kind}>")
        at.kind = name
        if (name == "Item") != (at.vr == "SQ") or (name == "PersonName" and at.vr != "PN"):
            raise self.fault(f"<{name}> in an attribute of VR {at.vr}")
        if name == "DataFragment" and at.vr not in BYTES:
            raise self.fault(f"<{name}> in an attribute of VR {at.vr}")
        if name == "Value" and at.vr in BYTES and at.vr != "UN":
            raise self.fault(f"{at.vr} takes InlineBinary or BulkData, not Value")
        if name == "BulkData":
            at.values.append(_uri(given))
        elif name == "InlineBinary":
            at.values.append(None)
            at.number = 0
        elif name == "Item" and at.items is not None:
            due = len(at.items) + 1
            if given.get("number", str(due)) != str(due):
                raise self.fault(f"number {given['number'][:16]} where {due} is due")
            item = self.builder.item(at.place, at.items)
            self.levels.append(_Level(item, at.place.item(due - 1)))
        else:
            self.number_value(at, name, given.get("number", ""))
        self.name = {}

    def number_value(self, at: _Attribute, name: str, text: str) -> None:
        """Make room for a value at its number, which is its place (PS3.19 A.1.5); what is left out is empty."""
        due = len(at.values) + 1
        if text and not NUMBER.fullmatch(text):
            raise self.fault(f"{text[:16]!r} is no number of a <{name}>")
        number = int(text) if text else due
        if number - due > MOST_LEFT_OUT:
            raise self.fault(f"number {number} where {due} is due")
        if number < due and at.values[number - 1] is not None:
            raise self.fault(f"number {number} stands twice")
        if number >= due:
            self.builder.count(at.place, number - due)
            at.values += [None] * (number - due + 1)
        at.number = number - 1

    def open_fragment(self, name: str, given: dict[str, str]) -> None:
        at = self.attributes[-1]
        if at.values[at.number] is not None:
            raise self.fault(f"<{name}> where the fragment has its bytes")
        if name == "BulkData":
            part = self.builder.fragment(self.fetch, at.vr, _uri(given), at.place)
            at.values[at.number] = part
            at.lacks = at.lacks or part is None

    def close_component(self, name: str) -> None:
        parts = self.name[self.names[-1]]
        number = COMPONENTS.index(name)
        if number < len(parts):
            raise self.fault(f"{name} stands twice, or behind what follows it")
        parts += [""] * (number - len(parts)) + ["".join(self.text)]

    def close_attribute(self, at: _Attribute) -> None:
        if at.home is None or at.items is not None:
            return
        vr = at.vr
        value: Any
        if at.kind == "BulkData":
            value = self.builder.fetched(self.fetch, at.vr, at.values[0], at.place)
            if vr == "UN" and isinstance(value, bytes):
                vr, value = self.builder.of_bytes(at.home, at.place, vr, value)
        elif at.kind == "InlineBinary":
            vr, value = self.builder.of_bytes(at.home, at.place, vr, from_base64(at.values[0], at.place))
        elif at.kind == "DataFragment":
            value = None if at.lacks else joined(part or b"" for part in at.values)
        else:
            texts = at.values if vr in TEXTS or vr == "UN" else [text and text.strip() for text in at.values]
            vr, value = self.builder.of_values(at.home, at.place, vr, [text or None for text in texts])
        self.builder.add(at.home, at.place, vr, value)
        if at.place.tag & 0x10000 and 0x10 <= at.place.tag & 0xFFFF < 0x100 and isinstance(value, str):
            self.levels[-1].blocks.setdefault((at.place.tag >> 16, value), at.place.tag & 0xFF)


def _uri(given: dict[str, str]) -> str:
    return given.get("uri") or given.get("uuid") or ""


def _known_vr(place: Place, creator: str) -> str:
    """The VR that the dictionaries have, for an attribute that doesn't say."""
    found = known_vr(place.tag, creator)
    if not found:
        raise place.fault("has no vr, and no dictionary knows it")
    return found
