"""The Native DICOM Model in XML: the same as DCMTK's, back again, and safe from documents that lie."""

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


def name_of(one) -> str:
    return one.name.rsplit("/", 1)[-1]


def document(inside: str) -> str:
    return f"<NativeDicomModel>{inside}</NativeDicomModel>"


@pytest.mark.parametrize("one", FILES, ids=name_of)
def test_real_files_come_back(one):
    data_set = dc.dcmread(one.path, force=True)
    text = data_set.to_xml()
    assert dc.Dataset.from_xml(text).to_json_dict() == data_set.to_json_dict()


# What DCMTK 3.6.7 reads differently; `dcmtk_way` has what it writes differently.
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
def test_real_files_as_dcmtk_has_them(step):
    compared = 0
    for one in FILES[::step]:
        theirs = None if name_of(one) in DCMTK else by_dcm2xml(one.path)
        if theirs is None:
            continue
        ours = ElementTree.fromstring(dc.dcmread(one.path, force=True).to_xml())
        assert ours.tag == f"{{{NAMESPACE}}}NativeDicomModel"
        found = differences(model(ours), model(theirs))
        assert not {place: both for place, both in found.items() if not dcmtk_way(place, *both)}, one.name
        compared += 1
    assert compared > 200 / step


@pytest.mark.skipif(DCM2XML is None, reason="dcm2xml is not installed")
@pytest.mark.parametrize("name", ["CT_small.dcm", "rtplan.dcm", "chrGerm.dcm", "reportsi.dcm"])
def test_dcmtks_documents_are_read(name):
    found = dc.Dataset.from_xml(ElementTree.tostring(by_dcm2xml(real(name))))
    wanted = dc.dcmread(real(name))
    same = {"PatientName", "StudyInstanceUID", "SOPClassUID", "StudyDate", "Modality", "InstanceNumber"}
    assert all(found.get(keyword) == wanted.get(keyword) for keyword in same)
    added = set() if "SpecificCharacterSet" in wanted else {0x00080005}
    assert {element.tag for element in wanted if element.tag.element} == {*found.keys()} - added


@pytest.mark.thread_unsafe(reason="Hypothesis' recursive strategies aren't for threads")
@settings(max_examples=100, deadline=None)
@given(data_sets())
def test_random_data_sets_come_back(data_set):
    text = data_set.to_xml()
    ElementTree.fromstring(text)
    assert json_oracle.model(dc.Dataset.from_xml(text)) == json_oracle.model(data_set)


VALUES = {  # name: (VR, the file's bytes, what stands inside the attribute)
    "text": ("LO", b"a<b>&\"'", "<Value number=\"1\">a&#60;b&#62;&#38;\"'</Value>\n"),
    "lines": ("UT", b"a\r\n\tb", '<Value number="1">a&#13;\n\tb</Value>\n'),
    "what XML can't hold": ("LO", b"a\x0c\\b", "<InlineBinary>YQxcYg==</InlineBinary>\n"),
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
def test_values(vr, value, inside):
    ds = dc.dcmread(part10(element(0x0008FFF0, vr, value)))
    text = ds.to_xml()
    assert f'<DicomAttribute tag="0008FFF0" vr="{vr}">\n{inside}</DicomAttribute>\n</NativeDicomModel>\n' in text
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns=')
    assert 'xml:space="preserve"' in text
    assert dc.Dataset.from_xml(text).to_json_dict() == ds.to_json_dict()


def test_big_endian_words_become_little_endian():
    ds = dc.dcmread(part10(element(0x0008FFF0, "OW", b"\0\1\2", big=True), BIG_ENDIAN))
    assert "<InlineBinary>AQAC</InlineBinary>" in ds.to_xml()


def test_bulk_data():
    ds = dc.dcmread(real("CT_small.dcm"))
    text = ds.to_xml(bulk_data_element_handler=lambda found: f"a?b&c={found.tag.json_key}")
    assert '<BulkData uri="a?b&#38;c=7FE00010"/>' in text
    back = dc.Dataset.from_xml(text, bulk_data_uri_handler=lambda tag, vr, uri: ds[uri[-8:]].value)
    assert back == ds
    assert [issue.code for issue in dc.Dataset.from_xml(text).issues] == ["BULK_DATA", "BULK_DATA"]


def test_file_meta_goes_both_ways_when_asked():
    ds = dc.dcmread(real("CT_small.dcm"))
    assert "TransferSyntaxUID" not in ds.to_xml()
    back = dc.Dataset.from_xml(ds.to_xml(file_meta=True))
    assert back.transfer_syntax == ds.transfer_syntax
    assert back == ds


class TestPrivate:
    def test_blocks_come_back(self):
        data = (
            element(0x00090010, "LO", b"ONE ") + element(0x00090011, "LO", b"TWO\t")
            + element(0x00090020, "LO", b"ONE ")
            + element(0x00091001, "OB", b"aa") + element(0x00091101, "OB", b"bb") + element(0x00092001, "OB", b"cc")
            + element(0x00093001, "OB", b"dd")
        )  # fmt: skip
        ds = dc.dcmread(part10(data + sequence(0x00081140, item(data))))
        text = ds.to_xml()
        assert '<DicomAttribute tag="00090001" vr="OB" privateCreator="TWO&#9;">' in text
        assert '<DicomAttribute tag="00092001" vr="OB" privateCreator="ONE">' in text  # the second block of its name
        assert '<DicomAttribute tag="00093001" vr="OB">' in text  # reserved by nobody
        assert dc.Dataset.from_xml(text).to_json_dict() == ds.to_json_dict()

    def test_blocks_are_reserved_where_the_creator_is_only_named(self):
        ds = dc.Dataset.from_xml(document(
            '<DicomAttribute tag="00090010" vr="LO"><Value number="1">OTHER</Value></DicomAttribute>'
            '<DicomAttribute tag="00090001" vr="LO" privateCreator="ME"><Value number="1">a</Value></DicomAttribute>'
            '<DicomAttribute tag="00090002" vr="LO" privateCreator="ME"><Value number="1">b</Value></DicomAttribute>'
            '<DicomAttribute tag="00090001" vr="LO" privateCreator="OTHER"/>'
        ))  # fmt: skip
        assert [(f"{found.tag:08X}", found.value) for found in ds] == [
            ("00090010", "OTHER"), ("00090011", "ME"), ("00091001", ""), ("00091101", "a"), ("00091102", "b"),
        ]  # fmt: skip


def test_what_others_write_is_read():
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
def test_encodings_and_streams(encoding):
    text = document('<DicomAttribute tag="00100020" vr="LO"><Value number="1">ä\ufeff</Value></DicomAttribute>')
    text = text.replace("\ufeff", "" if encoding == "iso-8859-1" else "\ufeff")
    data = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
    for given_ in (data, bytearray(data), io.BytesIO(data)):
        assert dc.Dataset.from_xml(given_).PatientID.startswith("ä")
    assert dc.Dataset.from_xml(f'<?xml version="1.0" encoding="iso-8859-1"?>{text}').PatientID.startswith("ä")


INSIDE = '<DicomAttribute tag="00081140" vr="SQ"><Item number="1"/><Item number="2">%s</Item></DicomAttribute>'
HERE = '<DicomAttribute tag="00081150" vr="%s">%s</DicomAttribute>'
WRONG = {  # name: (VR, what stands inside the attribute, the beginning of the message)
    "a VR that is none": ("XX", "", "'XX' is not a VR"),
    "text for numbers": ("US", '<Value number="1">a</Value>', "US takes integers, not 'a'"),
    "huge": ("FD", '<Value number="1">1e999x</Value>', "FD takes numbers, not '1e999x'"),
    "digits without end for UV": ("UV", f'<Value number="1">{"1" * 5000}</Value>', "UV takes integers"),
    "values for bytes": ("OB", '<Value number="1">a</Value>', "OB takes InlineBinary or BulkData"),
    "no base64": ("OB", "<InlineBinary>*</InlineBinary>", "inline binary that is no base64"),
    "items in text": ("LO", '<Item number="1"/>', "<Item> in an attribute of VR LO"),
    "values in a sequence": ("SQ", '<Value number="1"/>', "<Value> in an attribute of VR SQ"),
    "names in text": ("LO", '<PersonName number="1"/>', "<PersonName> in an attribute of VR LO"),
    "two kinds": ("OB", "<InlineBinary/><BulkData/>", "<BulkData> behind <InlineBinary>"),
    "two of one": ("OB", "<InlineBinary/><InlineBinary/>", "<InlineBinary> behind <InlineBinary>"),
    "a number twice": ("LO", '<Value number="2"/><Value number="1"/><Value number="2"/>', "number 2 stands twice"),
    "a number far off": ("LO", '<Value number="99999999"/>', "number 99999999 where 1 is due"),
    "number nought": ("LO", '<Value number="0"/>', "'0' is no number of a <Value>"),
    "items out of order": ("SQ", '<Item number="2"/>', "number 2 where 1 is due"),
    "fragments of text": ("LO", '<DataFragment number="1"/>', "<DataFragment> in an attribute of VR LO"),
    "a fragment of values": ("OB", '<DataFragment number="1"><Value/></DataFragment>', "<Value> inside <DataFragment>"),
    "two in a fragment": ("OB", '<DataFragment><InlineBinary/><InlineBinary/></DataFragment>', "<InlineBinary> where"),
    "a group twice": ("PN", "<PersonName><Phonetic/><Phonetic/></PersonName>", "Phonetic stands twice"),
    "a component twice": ("PN", "<PersonName><Phonetic><GivenName/><GivenName/></Phonetic></PersonName>", "Giv"),
    "components out of order": ("PN", "<PersonName><Phonetic><GivenName/><FamilyName/></Phonetic></PersonName>", "F"),
    "text between": ("LO", "a", "text inside <DicomAttribute>"),
    "an unknown element": ("LO", "<Other/>", "<Other> is none of the Native DICOM Model's"),
    "an element out of place": ("LO", "<FamilyName/>", "<FamilyName> inside <DicomAttribute>"),
    "another namespace": ("LO", '<Value xmlns="urn:x"/>', "<Value> is none of"),
    "cut short": ("LO", "<Value>", "no XML: mismatched tag"),
    "an entity": ("LO", "<Value>&lol;</Value>", "no XML: undefined entity"),
}  # fmt: skip


@pytest.mark.parametrize(("vr", "inside", "said"), WRONG.values(), ids=WRONG)
def test_wrong_attributes(vr, inside, said):
    with pytest.raises(dc.ParseError) as caught:
        dc.Dataset.from_xml(document(INSIDE % (HERE % (vr, inside))))
    assert str(caught.value).startswith(f"00081140[1].00081150: {said}")


DOCUMENTS = {
    "nothing": "",
    "no XML": "DICM",
    "another root": "<html/>",
    "an item as root": "<Item/>",
    "cut short": "<NativeDicomModel>",
    "more behind it": "<NativeDicomModel/><NativeDicomModel/>",
    "no tag": document("<DicomAttribute/>"),
    "a tag in lower case": document('<DicomAttribute tag="0008001a" vr="UI"/>'),
    "a delimiter": document('<DicomAttribute tag="FFFEE000" vr="UI"/>'),
    "a tag twice": document('<DicomAttribute tag="0008001A" vr="UI"/>' * 2),
    "no VR": document('<DicomAttribute tag="00090001"/>'),
    "a choice of VRs": document('<DicomAttribute tag="00280106"/>'),
    "a group length with items": document('<DicomAttribute tag="00080000" vr="SQ"><Item/></DicomAttribute>'),
    "an encoding that is none": b'<?xml version="1.0" encoding="MTF-8"?><NativeDicomModel/>',
    "an encoding that is no set of characters": b'<?xml version="1.0" encoding="idna"?><NativeDicomModel/>',
    "an encoding of several bytes": b'<?xml version="1.0" encoding="shift_jis"?><NativeDicomModel/>',
    "half a surrogate pair": "<NativeDicomModel>\ud800</NativeDicomModel>",
    "a surrogate by number": document('<DicomAttribute tag="00100020" vr="LO"><Value>&#xD800;'),
    "no private block left": document("".join(
        f'<DicomAttribute tag="00090001" vr="LO" privateCreator="{i}"/>' for i in range(300)
    )),
}  # fmt: skip


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_wrong_documents(text):
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


def test_depth():
    ds = dc.Dataset.from_xml(nested(256))
    assert dc.Dataset.from_xml(ds.to_xml()).to_json() == ds.to_json()
    for text in (nested(257), nested(200_000, close=False)):
        with pytest.raises(dc.LimitError, match=r"^00081140\[0\]\.00081140"):
            dc.Dataset.from_xml(text)
    with pytest.raises(dc.ParseError):
        dc.Dataset.from_xml("<NativeDicomModel>" * 1_000_000)


def test_more_elements_than_the_limit():
    text = document("".join(f'<DicomAttribute tag="0008{i:04X}" vr="LO"/>' for i in range(1, 12)))
    with pytest.raises(dc.LimitError, match="elements, 10"):
        dc.Dataset.from_xml(text, limits=dc.Limits(elements=10))


def test_every_cut():
    text = dc.dcmread(real("rtplan.dcm")).to_xml()
    for cut in range(0, len(text) - 2, 97):
        with pytest.raises(dc.ParseError):
            dc.Dataset.from_xml(text[:cut])


def test_what_contains_itself_is_refused():
    ds = dc.Dataset()
    ds.ReferencedImageSequence = [ds]
    with pytest.raises(dc.EncodeError, match="item of itself"):
        ds.to_xml()
