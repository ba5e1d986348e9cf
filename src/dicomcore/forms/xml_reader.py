"""Read data sets from the Native DICOM Model in XML (PS3.19 A.1), without loading the whole document.

Expat does the parsing. A document type declaration is refused: without it there are no entities to expand or to fetch.
"""

from __future__ import annotations

import re
from typing import Any, Protocol
from xml.parsers import expat

from dicomcore._native.forms.reader import read_usual_xml
from dicomcore.dataset import Dataset, Sequence
from dicomcore.errors import DicomError, ParseError
from dicomcore.forms.attribute import GROUPS
from dicomcore.forms.builder import Builder
from dicomcore.forms.element_path import ElementPath
from dicomcore.forms.fragments import joined
from dicomcore.forms.json_reader import UriHandler, as_handler
from dicomcore.forms.typed import from_base64
from dicomcore.forms.unknown import known_vr
from dicomcore.forms.xml_writer import COMPONENTS, NAMESPACE
from dicomcore.limits import Limits
from dicomcore.vrs import BYTES, NAMES, TEXTS

__all__ = ["Readable", "from_xml"]

CHUNK = 1 << 16
HEAD = re.compile(
    rb"(?:<\?xml version=\"1\.0\" encoding=\"[Uu][Tt][Ff]-8\"\?>)?[ \t\n]*"
    rb"<NativeDicomModel(?: xmlns=\"%s\")?(?: xml:space=\"preserve\")?>" % re.escape(NAMESPACE.encode())
)
"""The beginning of a document in the usual form."""
TAG = re.compile("[0-9A-F]{8}")
ENCODINGS = re.compile(
    "utf-?(8|16([bl]e)?)|(us-)?ascii|iso-8859-(1[0-13-6]?|[2-9])|windows-125[0-8]|koi8-[ru]", re.IGNORECASE
)
INSIDE = {  # XML element: its allowed parents
    "NativeDicomModel": {""},
    "DicomAttribute": {"NativeDicomModel", "Item"},
    **{value: {"DicomAttribute"} for value in ("Value", "Item", "PersonName", "DataFragment")},
    **{value: {"DicomAttribute", "DataFragment"} for value in ("InlineBinary", "BulkData")},
    **{group: {"PersonName"} for group in GROUPS},
    **{component: set(GROUPS) for component in COMPONENTS},
}
NUMBER = re.compile("[1-9][0-9]{0,8}")
MAX_SKIPPED = 1024
"""Numbers that may be skipped at once: a few bytes of XML must not allocate much memory."""
WITH_TEXT = {"Value", "InlineBinary", *COMPONENTS}


class Readable(Protocol):
    """A binary stream that can be read."""

    def read(self, size: int, /) -> bytes:
        """Return about `size` bytes; none at the end."""
        ...  # pragma: no cover


def from_xml(
    source: str | bytes | bytearray | Readable,
    *,
    bulk_data_uri_handler: UriHandler | None = None,
    limits: Limits | None = None,
    cls: Any = None,
) -> Any:
    """Read a data set from a Native DICOM Model document, see `Dataset.from_xml`."""
    if isinstance(source, str | bytes | bytearray):
        builder = Builder(limits, cls)
        if _read_usual(source, builder, bulk_data_uri_handler):
            return builder.root
    reader = _Reader(Builder(limits, cls), bulk_data_uri_handler)
    # A str is already decoded, so the encoding that the document declares does not apply.
    parser = _parser(reader, "utf-8" if isinstance(source, str) else None)
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
        message = f"{reader.location()}not XML: {error}"
        raise ParseError(message, offset=max(parser.ErrorByteIndex, 0)) from None  # -1 for an empty document
    except UnicodeEncodeError as error:
        raise ParseError(f"half a surrogate pair at character {error.start}", offset=error.start) from None
    return reader.builder.root


def _parser(reader: _Reader, encoding: str | None) -> expat.XMLParserType:
    parser = expat.ParserCreate(encoding, " ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.doctype
    return parser


def _read_usual(source: str | bytes | bytearray, builder: Builder, handler: UriHandler | None) -> bool:
    """Read a document whose attributes are in ascending order, without comments, processing instructions and CDATA.

    Attributes in an unusual form are read by expat, those of a data set as a document of their own. False, and nothing
    is read, if the document has to be read otherwise, for one because it breaks a rule.
    """
    try:
        data = source.encode() if isinstance(source, str) else bytes(source)
    except UnicodeEncodeError:
        return False
    head = HEAD.match(data)
    if head is None or b"<!" in data or data.find(b"<?", 1) >= 0 or (handler is not None and b"<BulkData" in data):
        return False
    limits = builder.limits
    read = read_usual_xml(data, head.end(), builder.root, limits.depth, limits.elements)
    if read is None:
        return False
    builder.elements_left, left = read
    documents: dict[int, tuple[Dataset, str, list[bytes]]] = {}
    for data_set, prefix, _, part in left:
        documents.setdefault(id(data_set), (data_set, prefix, []))[2].append(part)
    try:
        for data_set, prefix, parts in documents.values():
            reader = _Reader(builder, handler)
            reader.data_sets = [_OpenDataSet(data_set, prefix)]
            _parser(reader, "utf-8").Parse(b"<NativeDicomModel>%s</NativeDicomModel>" % b"".join(parts), True)
    except (expat.ExpatError, DicomError):
        return False
    return True


class _Attribute:
    """An open DicomAttribute element."""

    def __init__(self, path: ElementPath, owner: Dataset | None, vr: str, items: Sequence | None) -> None:
        self.path, self.owner, self.vr, self.items = path, owner, vr, items
        self.kind = ""  # name of the XML elements inside
        self.values: list[Any] = []  # by number; None for a value that was not read yet
        self.is_incomplete = False  # whether a fragment's bytes could not be fetched
        self.number = 0  # of the current value, from 0


class _OpenDataSet:
    """An open data set, with its private blocks: block numbers by group and creator."""

    def __init__(self, data_set: Dataset, prefix: str) -> None:
        self.data_set, self.prefix = data_set, prefix
        self.blocks: dict[tuple[int, str], int] = {}


class _Reader:
    """The handlers of expat, with the open XML elements, data sets and attributes, each innermost last."""

    def __init__(self, builder: Builder, handler: UriHandler | None) -> None:
        self.builder = builder
        self.fetch = as_handler(handler)
        self.names: list[str] = [""]
        self.data_sets = [_OpenDataSet(builder.root, "")]
        self.attributes: list[_Attribute] = []
        self.text: list[str] = []
        self.name: dict[str, list[str]] = {}  # components of the current PersonName, by group

    def location(self) -> str:
        """The path of the current attribute, with a colon; "" outside of all attributes."""
        return f"{self.attributes[-1].path}: " if self.attributes else ""

    def fault(self, message: str) -> ParseError:
        return self.attributes[-1].path.fault(message) if self.attributes else ParseError(message)

    # -- handlers that expat calls

    def declaration(self, _: str, encoding: str | None, __: int) -> None:
        # For other encodings expat asks Python's codecs, which raise their own errors for codecs that are not of text.
        if encoding is not None and ENCODINGS.fullmatch(encoding) is None:
            raise ParseError(f"the encoding {encoding[:40]!r} is not supported; convert the document to UTF-8")

    def doctype(self, *_: Any) -> None:
        raise ParseError("a document type declaration is refused: it could declare entities")

    def start(self, full_name: str, xml_attributes: dict[str, str]) -> None:
        space, _, name = full_name.rpartition(" ")
        if space not in ("", NAMESPACE) or name not in INSIDE:
            raise self.fault(f"<{name[:40]}> is not an element of the Native DICOM Model")
        if self.names[-1] not in INSIDE[name]:
            raise self.fault(f"<{name}> inside <{self.names[-1] or 'nothing'}>")
        self.names.append(name)
        self.text.clear()
        if name == "DicomAttribute":
            self.open_attribute(xml_attributes)
        elif self.names[-2] == "DicomAttribute":
            self.open_value(name, xml_attributes)
        elif self.names[-2] == "DataFragment":
            self.open_fragment(name, xml_attributes)
        elif name in GROUPS:
            if name in self.name:
                raise self.fault(f"{name} occurs twice")
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
            self.data_sets.pop()
        elif name in COMPONENTS:
            self.close_component(name)
        elif name == "InlineBinary" and self.names[-1] == "DataFragment":
            attribute = self.attributes[-1]
            attribute.values[attribute.number] = from_base64("".join(self.text), attribute.path)
        elif name in ("Value", "InlineBinary"):
            attribute = self.attributes[-1]
            attribute.values[attribute.number] = "".join(self.text)
        elif name == "PersonName":
            groups = {group: "^".join(parts) for group, parts in self.name.items()}
            attribute = self.attributes[-1]
            attribute.values[attribute.number] = groups

    # -- attributes

    def open_attribute(self, xml_attributes: dict[str, str]) -> None:
        current = self.data_sets[-1]
        text = xml_attributes.get("tag", "")
        if not TAG.fullmatch(text):
            raise ParseError(f"{current.prefix}{text[:40]}: a tag is eight hexadecimal digits in upper case")
        tag = self.with_block(current, int(text, 16), xml_attributes.get("privateCreator", ""))
        path = ElementPath(current.prefix, tag)
        vr = xml_attributes.get("vr") or _known_vr(path, xml_attributes.get("privateCreator", ""))
        if vr not in NAMES:
            raise path.fault(f"{vr[:16]!r} is not a VR")
        owner = self.builder.owner_of(current.data_set, path)
        items = None
        if vr == "SQ":
            if owner is None:
                raise path.fault("a group length is not a sequence")
            items = self.builder.sequence(owner, path)
        self.attributes.append(_Attribute(path, owner, vr, items))

    def with_block(self, current: _OpenDataSet, tag: int, creator: str) -> int:
        """Return the tag with the block of its creator in this data set; reserve a block if it has none yet."""
        if not tag & 0x10000 or not creator or tag & 0xFF00:
            return tag
        block = current.blocks.get((tag >> 16, creator))
        if block is None:
            used = {number for (group, _), number in current.blocks.items() if group == tag >> 16}
            free = (n for n in range(0x10, 0x100) if n not in used and tag & 0xFFFF0000 | n not in current.data_set)
            block = next(free, 0)
            path = ElementPath(current.prefix, tag & 0xFFFF0000 | block)
            if not block:
                raise path.fault("no private block is free")
            self.builder.add(current.data_set, path, "LO", creator)
            current.blocks[tag >> 16, creator] = block
        return tag | block << 8

    def open_value(self, name: str, xml_attributes: dict[str, str]) -> None:
        attribute = self.attributes[-1]
        if attribute.kind and (name != attribute.kind or name in ("InlineBinary", "BulkData")):
            raise self.fault(f"<{name}> after <{attribute.kind}>")
        attribute.kind = name
        if (name == "Item") != (attribute.vr == "SQ") or (name == "PersonName" and attribute.vr != "PN"):
            raise self.fault(f"<{name}> in an attribute of VR {attribute.vr}")
        if name == "DataFragment" and attribute.vr not in BYTES:
            raise self.fault(f"<{name}> in an attribute of VR {attribute.vr}")
        if name == "Value" and attribute.vr in BYTES and attribute.vr != "UN":
            raise self.fault(f"{attribute.vr} takes InlineBinary or BulkData, not Value")
        if name == "BulkData":
            attribute.values.append(_uri(xml_attributes))
        elif name == "InlineBinary":
            attribute.values.append(None)
            attribute.number = 0
        elif name == "Item" and attribute.items is not None:
            due = len(attribute.items) + 1
            if xml_attributes.get("number", str(due)) != str(due):
                raise self.fault(f"number {xml_attributes['number'][:16]} instead of {due}")
            item = self.builder.item(attribute.path, attribute.items)
            self.data_sets.append(_OpenDataSet(item, attribute.path.item(due - 1)))
        else:
            self.number_value(attribute, name, xml_attributes.get("number", ""))
        self.name = {}

    def number_value(self, attribute: _Attribute, name: str, text: str) -> None:
        """Reserve the position that its number gives a value (PS3.19 A.1.5); skipped numbers are empty values."""
        due = len(attribute.values) + 1
        if text and not NUMBER.fullmatch(text):
            raise self.fault(f"{text[:16]!r} is not a number of a <{name}>")
        number = int(text) if text else due
        if number - due > MAX_SKIPPED:
            raise self.fault(f"number {number} instead of {due}")
        if number < due and attribute.values[number - 1] is not None:
            raise self.fault(f"number {number} occurs twice")
        if number >= due:
            self.builder.count(attribute.path, number - due)
            attribute.values += [None] * (number - due + 1)
        attribute.number = number - 1

    def open_fragment(self, name: str, xml_attributes: dict[str, str]) -> None:
        attribute = self.attributes[-1]
        if attribute.values[attribute.number] is not None:
            raise self.fault(f"<{name}> in a fragment that already has bytes")
        if name == "BulkData":
            part = self.builder.fetched_fragment(self.fetch, attribute.vr, _uri(xml_attributes), attribute.path)
            attribute.values[attribute.number] = part
            attribute.is_incomplete = attribute.is_incomplete or part is None

    def close_component(self, name: str) -> None:
        parts = self.name[self.names[-1]]
        number = COMPONENTS.index(name)
        if number < len(parts):
            raise self.fault(f"{name} occurs twice or out of order")
        parts += [""] * (number - len(parts)) + ["".join(self.text)]

    def close_attribute(self, attribute: _Attribute) -> None:
        if attribute.owner is None or attribute.items is not None:
            return
        vr = attribute.vr
        value: Any
        if attribute.kind == "BulkData":
            value = self.builder.fetched_value(self.fetch, attribute.vr, attribute.values[0], attribute.path)
            if vr == "UN" and isinstance(value, bytes):
                vr, value = self.builder.value_of_bytes(attribute.owner, attribute.path, vr, value)
        elif attribute.kind == "InlineBinary":
            vr, value = self.builder.value_of_bytes(
                attribute.owner, attribute.path, vr, from_base64(attribute.values[0], attribute.path)
            )
        elif attribute.kind == "DataFragment":
            value = None if attribute.is_incomplete else joined(part or b"" for part in attribute.values)
        else:
            texts = (
                attribute.values if vr in TEXTS or vr == "UN" else [text and text.strip() for text in attribute.values]
            )
            vr, value = self.builder.value_of_list(
                attribute.owner, attribute.path, vr, [text or None for text in texts]
            )
        self.builder.add(attribute.owner, attribute.path, vr, value)
        if attribute.path.tag & 0x10000 and 0x10 <= attribute.path.tag & 0xFFFF < 0x100 and isinstance(value, str):
            self.data_sets[-1].blocks.setdefault((attribute.path.tag >> 16, value), attribute.path.tag & 0xFF)


def _uri(xml_attributes: dict[str, str]) -> str:
    return xml_attributes.get("uri") or xml_attributes.get("uuid") or ""


def _known_vr(path: ElementPath, creator: str) -> str:
    """Look up the VR of an attribute that does not state it."""
    vr = known_vr(path.tag, creator)
    if not vr:
        raise path.fault("has no vr, and no dictionary knows it")
    return vr
