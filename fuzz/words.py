"""libFuzzer's dictionary: tags, VRs, transfer syntaxes and markers, from dicomcore's own tables."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from dicomcore._native.base.dictionary import registered_uids
from dicomcore.tags import Tag
from fuzz.parsing import CHARSETS, VRS
from tests.support import dicom_bytes as raw

KEYWORDS = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "PatientName", "PatientID", "SamplesPerPixel",
    "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "RedPaletteColorLookupTableDescriptor", "LUTDescriptor", "LUTData",
    "RedPaletteColorLookupTableData", "SmallestImagePixelValue", "WindowCenter", "WindowWidth", "RescaleSlope",
    "ModalityLUTSequence", "VOILUTSequence", "PixelData", "FloatPixelData", "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths", "TransferSyntaxUID", "FileMetaInformationGroupLength",
    "DirectoryRecordSequence", "OffsetOfTheNextDirectoryRecord", "DirectoryRecordType", "ReferencedFileID",
    "ContentSequence", "ValueType", "RelationshipType", "ConceptNameCodeSequence", "CodeValue", "WaveformSequence",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "DataSetTrailingPadding",
)  # fmt: skip
TEXTS = (
    '{"vr":"', '"Value":[', '"InlineBinary":"', '"BulkDataURI":"', '{"Alphabetic":"', '<DicomAttribute tag="',
    "<Value ", "<PersonName ", '<Item number="', "<InlineBinary>", '<BulkData uri="', "&#x", "\\u00", "null", "1e999",
)  # fmt: skip


def words() -> Iterator[bytes]:
    for keyword in KEYWORDS:
        number = int(Tag(keyword))
        for order in "<>":
            yield struct.pack(order + "HH", number >> 16, number & 0xFFFF)
    for number in (raw.ITEM, raw.ITEM_END, raw.SEQUENCE_END):
        for order in "<>":
            for length in (0, raw.UNDEFINED):
                yield struct.pack(order + "HHI", number >> 16, number & 0xFFFF, length)
    yield from (vr.encode() for vr in VRS)
    yield from (uid.encode() for uid in registered_uids() if uid.startswith("1.2.840.10008.1.2"))
    yield from (terms.encode() for terms in CHARSETS if terms)
    yield from (b"\x1b" + code for code in (b"$B", b"(B", b"(J", b")I", b"$)C", b"$)A", b"-A", b"$(D", b"-F"))
    yield from (bytes([0xFF, code]) for code in (*range(0xC0, 0xDE), 0x4F, 0x51, 0x52, 0x90, 0x93, 0xE0, 0xEE, 0xF7))
    yield from (b"\xff\xff\xff\xff", b"\xfe\xff\xff\xff", b"\0\0\0\x80", b"jP  \r\n\x87\n", b"jxlc", b"jp2c", b"DICM")
    yield from (text.encode() for text in TEXTS)


def dictionary() -> str:
    """The words in the format of libFuzzer."""
    return "".join('"{}"\n'.format("".join(f"\\x{byte:02x}" for byte in word)) for word in dict.fromkeys(words()))
