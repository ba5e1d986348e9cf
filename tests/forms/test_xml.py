"""The Native DICOM Model in XML: compared with DCMTK, read back, and safe from hostile documents."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

import dicomcore as dc
from tests.support import json_oracle
from tests.support.corpus import ABSENT, real, small_files
from tests.support.dicom_bytes import BIG_ENDIAN, element, item, part10, sequence
from tests.support.json_forms import differences
from tests.support.random_sets import data_sets
from tests.support.xml_forms import DCM2XML, by_dcm2xml, dcmtk_way, model

FILES = small_files(1 << 20)
NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"


def name_of(file) -> str:
    return file.name.rsplit("/", 1)[-1]


def document(inside: str) -> str:
    return f"<NativeDicomModel>{inside}</NativeDicomModel>"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_real_files_are_read_as_they_were_written(file):
    data_set = dc.dcmread(file.path, force=True)
    text = data_set.to_xml()
    assert dc.Dataset.from_xml(text).to_json_dict() == data_set.to_json_dict()


# Files that DCMTK 3.6.7 reads differently; `dcmtk_way` knows the differences in what it writes.
DCMTK = {
    "bad_sequence.dcm": "finds no elements in an item",
    "JPEG2KLossless_1s_1f_u_16_16.dcm": "converts text without character set to UTF-8 twice",
    "chrX1.dcm": "repeats the ideographic group as the phonetic one that is empty",
    "chrX2.dcm": "repeats the ideographic group as the phonetic one that is empty",
    "UN_sequence.dcm": "drops the block of private elements without creator",
    "rtdose_rle.dcm": "takes a sequence written as UN for bytes",
    "rtdose_rle_1frame.dcm": "takes a sequence written as UN for bytes",
}


@pytest.mark.skipif(DCM2XML is None, reason="dcm2xml is not installed")
@pytest.mark.skipif(ABSENT != "", reason=ABSENT)
@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.long)])
def test_real_files_are_written_as_dcmtk_writes_them(step):
    compared = 0
    for file in FILES[::step]:
        theirs = None if name_of(file) in DCMTK else by_dcm2xml(file.path)
        if theirs is None:
            continue
        ours = ElementTree.fromstring(dc.dcmread(file.path, force=True).to_xml())
        assert ours.tag == f"{{{NAMESPACE}}}NativeDicomModel"
        different = differences(model(ours), model(theirs))
        assert not {place: both for place, both in different.items() if not dcmtk_way(place, *both)}, file.name
        compared += 1
    assert compared > 200 / step


@pytest.mark.skipif(DCM2XML is None, reason="dcm2xml is not installed")
@pytest.mark.parametrize("name", ["CT_small.dcm", "rtplan.dcm", "chrGerm.dcm", "reportsi.dcm"])
def test_documents_of_dcmtk_are_read(name):
    read = dc.Dataset.from_xml(ElementTree.tostring(by_dcm2xml(real(name))))
    wanted = dc.dcmread(real(name))
    same = {"PatientName", "StudyInstanceUID", "SOPClassUID", "StudyDate", "Modality", "InstanceNumber"}
    assert all(read.get(keyword) == wanted.get(keyword) for keyword in same)
    added = set() if "SpecificCharacterSet" in wanted else {0x00080005}
    assert {element.tag for element in wanted if element.tag.element} == {*read.keys()} - added


@pytest.mark.thread_unsafe(reason="Hypothesis' recursive strategies aren't for threads")
@settings(max_examples=100, deadline=None)
@given(data_sets())
def test_random_data_sets_are_read_as_they_were_written(data_set):
    text = data_set.to_xml()
    ElementTree.fromstring(text)
    assert json_oracle.model(dc.Dataset.from_xml(text)) == json_oracle.model(data_set)


VALUES = {  # name: (VR, bytes of the file, content of the DicomAttribute)
    "text": ("LO", b"a<b>&\"'", "<Value number=\"1\">a&#60;b&#62;&#38;\"'</Value>\n"),
    "lines": ("UT", b"a\r\n\tb", '<Value number="1">a&#13;\n\tb</Value>\n'),
    "a control character": ("LO", b"a\x0c\\b", "<InlineBinary>YQxcYg==</InlineBinary>\n"),
    "empty among several": ("CS", b"a\\\\b", '<Value number="1">a</Value>\n<Value number="2"></Value>\n'
                            '<Value number="3">b</Value>\n'),
    "decimals as written": ("DS", b"1.50\\ +2 ", '<Value number="1">1.50</Value>\n<Value number="2">+2</Value>\n'),
    "a double": ("FD", b"\0" * 6 + b"\xf8\x7f", '<Value number="1">NaN</Value>\n'),
    "tags": ("AT", b"\xe0\x7f\x0a\0", '<Value number="1">7FE0000A</Value>\n'),
    "names": ("PN", b"A^^B=C\\", '<PersonName number="1">\n<Alphabetic>\n<FamilyName>A</FamilyName>\n'
              "<MiddleName>B</MiddleName>\n</Alphabetic>\n<Ideographic>\n<FamilyName>C</FamilyName>\n</Ideographic>\n"
              '</PersonName>\n<PersonName number="2">\n</PersonName>\n'),
    "a name's empty end": ("PN", b"A^^", '<PersonName number="1">\n<Alphabetic>\n<FamilyName>A</FamilyName>\n'
                           "<MiddleName></MiddleName>\n</Alphabetic>\n</PersonName>\n"),
    "bytes": ("OB", b"\0\1", "<InlineBinary>AAE=</InlineBinary>\n"),
    "nothing": ("LO", b"", ""),
}  # fmt: skip


@pytest.mark.parametrize(("vr", "value", "inside"), VALUES.values(), ids=VALUES)
def test_values_are_written_as_their_vr_says(vr, value, inside):
    ds = dc.dcmread(part10(element(0x0008FFF0, vr, value)))
    text = ds.to_xml()
    assert f'<DicomAttribute tag="0008FFF0" vr="{vr}">\n{inside}</DicomAttribute>\n</NativeDicomModel>\n' in text
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns=')
    assert 'xml:space="preserve"' in text
    assert dc.Dataset.from_xml(text).to_json_dict() == ds.to_json_dict()


def test_big_endian_words_become_little_endian():
    ds = dc.dcmread(part10(element(0x0008FFF0, "OW", b"\0\1\2", big=True), BIG_ENDIAN))
    assert "<InlineBinary>AQAC</InlineBinary>" in ds.to_xml()


def test_bulk_data_is_written_and_fetched():
    ds = dc.dcmread(real("CT_small.dcm"))
    text = ds.to_xml(bulk_data_element_handler=lambda found: f"a?b&c={found.tag.json_key}")
    assert '<BulkData uri="a?b&#38;c=7FE00010"/>' in text
    back = dc.Dataset.from_xml(text, bulk_data_uri_handler=lambda tag, vr, uri: ds[uri[-8:]].value)
    assert back == ds
    assert [issue.code for issue in dc.Dataset.from_xml(text).issues] == ["BULK_DATA", "BULK_DATA"]


def test_file_meta_is_written_and_read_on_request():
    ds = dc.dcmread(real("CT_small.dcm"))
    assert "TransferSyntaxUID" not in ds.to_xml()
    back = dc.Dataset.from_xml(ds.to_xml(file_meta=True))
    assert back.transfer_syntax == ds.transfer_syntax
    assert back == ds


class TestPrivate:
    def test_private_blocks_are_read_as_they_were_written(self):
        data = (
            element(0x00090010, "LO", b"ONE ") + element(0x00090011, "LO", b"TWO\t")
            + element(0x00090020, "LO", b"ONE ")
            + element(0x00091001, "OB", b"aa") + element(0x00091101, "OB", b"bb") + element(0x00092001, "OB", b"cc")
            + element(0x00093001, "OB", b"dd")
        )  # fmt: skip
        ds = dc.dcmread(part10(data + sequence(0x00081140, item(data))))
        text = ds.to_xml()
        assert '<DicomAttribute tag="00090001" vr="OB" privateCreator="TWO&#9;">' in text
        assert '<DicomAttribute tag="00092001" vr="OB" privateCreator="ONE">' in text  # a second block
        assert '<DicomAttribute tag="00093001" vr="OB">' in text  # no creator reserved it
        assert dc.Dataset.from_xml(text).to_json_dict() == ds.to_json_dict()

    def test_a_block_is_reserved_for_a_creator_without_an_element(self):
        ds = dc.Dataset.from_xml(document(
            '<DicomAttribute tag="00090010" vr="LO"><Value number="1">OTHER</Value></DicomAttribute>'
            '<DicomAttribute tag="00090001" vr="LO" privateCreator="ME"><Value number="1">a</Value></DicomAttribute>'
            '<DicomAttribute tag="00090002" vr="LO" privateCreator="ME"><Value number="1">b</Value></DicomAttribute>'
            '<DicomAttribute tag="00090001" vr="LO" privateCreator="OTHER"/>'
        ))  # fmt: skip
        assert [(f"{found.tag:08X}", found.value) for found in ds] == [
            ("00090010", "OTHER"), ("00090011", "ME"), ("00091001", ""), ("00091101", "a"), ("00091102", "b"),
        ]  # fmt: skip


def test_deviations_of_other_writers_are_read():
    ds = dc.Dataset.from_xml(document(
        '<DicomAttribute tag="00280010" keyword="Rows">\n <Value number="1">\n 512 </Value>\n</DicomAttribute>'
        '<DicomAttribute tag="00100010" vr="PN"><PersonName number="1"><Ideographic><GivenName>B</GivenName>'
        "</Ideographic></PersonName></DicomAttribute>"
        '<DicomAttribute tag="00080000" vr="UL"><Value number="1">5</Value></DicomAttribute>'
        '<DicomAttribute tag="00081140" vr="SQ"><Item/><Item number="2"/></DicomAttribute>'
        '<DicomAttribute tag="00180050" vr="DS"><Value number="1"/></DicomAttribute>'
    ))  # fmt: skip
    assert (ds.Rows, ds.PatientName, len(ds.ReferencedImageSequence), ds.SliceThickness) == (512, "=^B", 2, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_every_encoding_and_source_is_read(encoding):
    text = document('<DicomAttribute tag="00100020" vr="LO"><Value number="1">ä\ufeff</Value></DicomAttribute>')
    text = text.replace("\ufeff", "" if encoding == "iso-8859-1" else "\ufeff")
    data = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
    for source in (data, bytearray(data), io.BytesIO(data)):
        assert dc.Dataset.from_xml(source).PatientID.startswith("ä")
    assert dc.Dataset.from_xml(f'<?xml version="1.0" encoding="iso-8859-1"?>{text}').PatientID.startswith("ä")


INSIDE = '<DicomAttribute tag="00081140" vr="SQ"><Item number="1"/><Item number="2">%s</Item></DicomAttribute>'
HERE = '<DicomAttribute tag="00081150" vr="%s">%s</DicomAttribute>'
WRONG = {  # name: (VR, content of the DicomAttribute, the beginning of the message)
    "an unknown VR": ("XX", "", "'XX' is not a VR"),
    "text for numbers": ("US", '<Value number="1">a</Value>', "US takes integers, not 'a'"),
    "huge": ("FD", '<Value number="1">1e999x</Value>', "FD takes numbers, not '1e999x'"),
    "digits without end for UV": ("UV", f'<Value number="1">{"1" * 5000}</Value>', "UV takes integers"),
    "values for bytes": ("OB", '<Value number="1">a</Value>', "OB takes InlineBinary or BulkData"),
    "not base64": ("OB", "<InlineBinary>*</InlineBinary>", "inline binary is not base64"),
    "items in text": ("LO", '<Item number="1"/>', "<Item> in an attribute of VR LO"),
    "values in a sequence": ("SQ", '<Value number="1"/>', "<Value> in an attribute of VR SQ"),
    "names in text": ("LO", '<PersonName number="1"/>', "<PersonName> in an attribute of VR LO"),
    "two kinds": ("OB", "<InlineBinary/><BulkData/>", "<BulkData> after <InlineBinary>"),
    "two of one kind": ("OB", "<InlineBinary/><InlineBinary/>", "<InlineBinary> after <InlineBinary>"),
    "a number twice": ("LO", '<Value number="2"/><Value number="1"/><Value number="2"/>', "number 2 occurs twice"),
    "a number far off": ("LO", '<Value number="99999999"/>', "number 99999999 instead of 1"),
    "number zero": ("LO", '<Value number="0"/>', "'0' is not a number of a <Value>"),
    "items out of order": ("SQ", '<Item number="2"/>', "number 2 instead of 1"),
    "fragments of text": ("LO", '<DataFragment number="1"/>', "<DataFragment> in an attribute of VR LO"),
    "a fragment of values": ("OB", '<DataFragment number="1"><Value/></DataFragment>', "<Value> inside <DataFragment>"),
    "two in a fragment": ("OB", '<DataFragment><InlineBinary/><InlineBinary/></DataFragment>', "<InlineBinary> in a"),
    "a group twice": ("PN", "<PersonName><Phonetic/><Phonetic/></PersonName>", "Phonetic occurs twice"),
    "a component twice": ("PN", "<PersonName><Phonetic><GivenName/><GivenName/></Phonetic></PersonName>", "Giv"),
    "components out of order": ("PN", "<PersonName><Phonetic><GivenName/><FamilyName/></Phonetic></PersonName>", "F"),
    "text between": ("LO", "a", "text inside <DicomAttribute>"),
    "an unknown element": ("LO", "<Other/>", "<Other> is not an element of the Native DICOM Model"),
    "an element in a wrong parent": ("LO", "<FamilyName/>", "<FamilyName> inside <DicomAttribute>"),
    "another namespace": ("LO", '<Value xmlns="urn:x"/>', "<Value> is not an element of"),
    "cut short": ("LO", "<Value>", "not XML: mismatched tag"),
    "an entity": ("LO", "<Value>&lol;</Value>", "not XML: undefined entity"),
}  # fmt: skip


@pytest.mark.parametrize(("vr", "inside", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_attribute_is_refused(vr, inside, said):
    with pytest.raises(dc.ParseError) as caught:
        dc.Dataset.from_xml(document(INSIDE % (HERE % (vr, inside))))
    assert str(caught.value).startswith(f"00081140[1].00081150: {said}")


DOCUMENTS = {
    "nothing": "",
    "not XML": "DICM",
    "another root": "<html/>",
    "an item as root": "<Item/>",
    "cut short": "<NativeDicomModel>",
    "a second document": "<NativeDicomModel/><NativeDicomModel/>",
    "no tag": document("<DicomAttribute/>"),
    "a tag in lower case": document('<DicomAttribute tag="0008001a" vr="UI"/>'),
    "a delimiter": document('<DicomAttribute tag="FFFEE000" vr="UI"/>'),
    "a tag twice": document('<DicomAttribute tag="0008001A" vr="UI"/>' * 2),
    "no VR": document('<DicomAttribute tag="00090001"/>'),
    "a choice of VRs": document('<DicomAttribute tag="00280106"/>'),
    "a group length with items": document('<DicomAttribute tag="00080000" vr="SQ"><Item/></DicomAttribute>'),
    "an unknown encoding": b'<?xml version="1.0" encoding="MTF-8"?><NativeDicomModel/>',
    "a codec that is not of text": b'<?xml version="1.0" encoding="idna"?><NativeDicomModel/>',
    "an encoding of several bytes": b'<?xml version="1.0" encoding="shift_jis"?><NativeDicomModel/>',
    "half a surrogate pair": "<NativeDicomModel>\ud800</NativeDicomModel>",
    "a surrogate by number": document('<DicomAttribute tag="00100020" vr="LO"><Value>&#xD800;'),
    "no private block left": document("".join(
        f'<DicomAttribute tag="00090001" vr="LO" privateCreator="{i}"/>' for i in range(300)
    )),
}  # fmt: skip


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_wrong_document_is_refused(text):
    with pytest.raises(dc.ParseError) as caught:
        dc.Dataset.from_xml(text)
    assert caught.value.offset is None or 0 <= caught.value.offset <= len(text)


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
DECLARED = {
    "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>' + document("&l9;"),
    "quadratic": f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]>' + document("&a;" * 10_000),
    "a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + document("&a;"),
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://localhost/x"> %a;]>' + document(""),
    "a declaration elsewhere": '<!DOCTYPE x SYSTEM "http://localhost/x.dtd">' + document(""),
}


@pytest.mark.parametrize("text", DECLARED.values(), ids=DECLARED)
def test_document_type_declarations_are_refused(text):
    with pytest.raises(dc.ParseError, match="document type declaration"):
        dc.Dataset.from_xml(text)


def nested(levels: int, close: bool = True) -> str:
    opened = '<DicomAttribute tag="00081140" vr="SQ"><Item number="1">' * levels
    return document(opened + "</Item></DicomAttribute>" * levels) if close else f"<NativeDicomModel>{opened}"


def test_nesting_is_read_up_to_the_limit():
    ds = dc.Dataset.from_xml(nested(256))
    assert dc.Dataset.from_xml(ds.to_xml()).to_json() == ds.to_json()
    for text in (nested(257), nested(200_000, close=False)):
        with pytest.raises(dc.LimitError, match=r"^00081140\[0\]\.00081140"):
            dc.Dataset.from_xml(text)
    with pytest.raises(dc.ParseError):
        dc.Dataset.from_xml("<NativeDicomModel>" * 1_000_000)


def test_more_elements_than_the_limit_are_refused():
    text = document("".join(f'<DicomAttribute tag="0008{i:04X}" vr="LO"/>' for i in range(1, 12)))
    with pytest.raises(dc.LimitError, match="elements, 10"):
        dc.Dataset.from_xml(text, limits=dc.Limits(elements=10))


def test_every_truncation_is_refused():
    text = dc.dcmread(real("rtplan.dcm")).to_xml()
    for cut in range(0, len(text) - 2, 97):
        with pytest.raises(dc.ParseError):
            dc.Dataset.from_xml(text[:cut])


def test_a_data_set_that_contains_itself_is_refused():
    ds = dc.Dataset()
    ds.ReferencedImageSequence = [ds]
    with pytest.raises(dc.EncodeError, match="item of itself"):
        ds.to_xml()
