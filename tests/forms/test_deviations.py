"""JSON and XML lose no values that violate PS3.5, and report violations of PS3.18 and PS3.19."""

from __future__ import annotations

import base64
import json
import struct
import xml.etree.ElementTree as ET
from itertools import product

import pytest

import dicomcore as dc
from tests.support.dicom_bytes import EXPLICIT, IMPLICIT, element, item, part10, sequence

SOP = element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7\0") + element(0x00080018, "UI", b"1.2.3\0")


def by_json(data_set: dc.Dataset) -> dc.Dataset:
    return dc.Dataset.from_json(data_set.to_json())


def by_xml(data_set: dc.Dataset) -> dc.Dataset:
    text = data_set.to_xml()
    ET.fromstring(text)
    return dc.Dataset.from_xml(text)


FORMS = {"json": by_json, "xml": by_xml}


def nested(content: bytes, inside: bool) -> bytes:
    return sequence(0x00081140, item(content)) if inside else content


def element_of(data_set: dc.Dataset, tag: int, inside: bool) -> dc.DataElement:
    return data_set.ReferencedImageSequence[0][tag] if inside else data_set[tag]


# ---- DS and IS that are not numbers ------------------------------------------------------------------------------

NUMBERS = {  # fo-dicom#1355, pydicom#1322, #1693; Mirth connect#3041 for the control characters
    "fraction in IS": (0x00181152, "IS", b"14.5"),
    "comma in DS": (0x00101030, "DS", b"70,5"),
    "unit in DS": (0x00101030, "DS", b"70.5 kg "),
    "words in IS": (0x00181152, "IS", b"N/A "),
    "one of several": (0x00280030, "DS", b"0.5\\x "),
    "empty one of several": (0x00280030, "DS", b"\\x"),
    "beyond a double": (0x00101030, "DS", b"1e400 "),
    "markup": (0x00101030, "DS", b"<70&5> "),
    "NUL": (0x00101030, "DS", b"1\x002 "),
    "SOH": (0x00181152, "IS", b"1\x012 "),
    "form feed": (0x00181152, "IS", b"1\x0c2 "),
    "escape": (0x00101030, "DS", b"1\x1b2 "),
    "escape among several": (0x00280030, "DS", b"0.5\\\x1b "),
    "beyond ASCII": (0x00101030, "DS", b"70\xb5 "),
}


@pytest.mark.parametrize("inside", [False, True], ids=["top", "item"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("tag", "vr", "content"), NUMBERS.values(), ids=NUMBERS)
def test_text_in_ds_and_is_is_read_as_it_was_written(tag, vr, content, form, inside):
    data_set = dc.dcmread(part10(SOP + nested(element(tag, vr, content), inside)))
    back = form(data_set)
    assert [issue.code for issue in back.issues] == ["BAD_VALUE"]
    assert f"{tag:08X}" in back.issues[0].message
    written = element_of(dc.dcmread(back.to_bytes()), tag, inside)
    assert vr == written.VR
    assert bytes(written.raw).rstrip() == content.rstrip()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("keyword", "value"), [
    ("PatientWeight", "70,5"), ("Exposure", 14.5), ("PixelSpacing", [0.5, "x"]), ("PatientWeight", "1\x1b"),
    ("PatientWeight", b"70,5"), ("Exposure", "14.5"),
], ids=repr)  # fmt: skip
def test_text_set_in_ds_and_is_is_read_as_it_was_written(keyword, value, form):
    data_set = dc.Dataset()
    setattr(data_set, keyword, value)
    back = form(data_set)
    wanted = value.decode() if isinstance(value, bytes) else float(value) if value == "14.5" else value
    assert getattr(back, keyword) == wanted


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fractions_for_integers_are_refused():
    data_set = dc.Dataset()
    data_set.Rows = 14.5
    for write in (data_set.to_json, data_set.to_xml, lambda: data_set.to_bytes(enforce_standard=False)):
        with pytest.raises(dc.EncodeError, match=r"Rows: .*whole numbers, not 14\.5"):
            write()


CONTROLS = "\0\x01\x0b\x0c\x1b\x1f￾￿"
TEXTS = ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")


@pytest.mark.parametrize(("vr", "character"), list(product(TEXTS, CONTROLS)))
def test_xml_is_well_formed_for_every_control_character(vr, character):
    """XML 1.0 (section 2.2) does not allow control characters, not even as references."""
    data_set = dc.Dataset()
    data_set.validation = "ignore"
    data_set.SpecificCharacterSet = "ISO_IR 192"
    for text in (f"a{character}b", f"a^b{character}c=d^e" if vr == "PN" else f"{character}x"):
        data_set.add_new(0x00091001, vr, text)
        back = by_xml(data_set)
        assert back[0x00091001].value == data_set[0x00091001].value


def test_xml_does_not_name_a_creator_with_control_characters():
    data_set = dc.Dataset()
    data_set.validation = "ignore"
    data_set.add_new(0x00090010, "LO", "ME\x1b")
    data_set.add_new(0x00091001, "LO", "x")
    assert by_xml(data_set)[0x00091001].value == "x"


def test_xml_refuses_a_uri_with_control_characters():
    data_set = dc.Dataset()
    data_set.add_new(0x00091001, "OB", bytes(100))
    with pytest.raises(dc.EncodeError, match="URI"):
        data_set.to_xml(bulk_data_threshold=0, bulk_data_element_handler=lambda element: "\x01")


# ---- text that no character set can decode -----------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("tag", "vr"), [(0x00100010, "PN"), (0x00081030, "LO"), (0x00204000, "LT")])
def test_bytes_that_cannot_be_decoded_are_kept(tag, vr, form):
    utf_8 = element(0x00080005, "CS", b"ISO_IR 192")
    back = form(dc.dcmread(part10(utf_8 + SOP + element(tag, vr, b"a\xff\xfeb"))))
    assert back[tag].value == b"a\xff\xfeb"
    assert [issue.code for issue in back.issues] == ["BAD_VALUE"]
    assert bytes(dc.dcmread(back.to_bytes())[tag].raw) == b"a\xff\xfeb"


# ---- text instead of items ---------------------------------------------------------------------------------------

ELSCINT = element(0x50010010, None, b"ELSCINT1")
LOOSE = {  # fo-dicom#1982, #944, dcm4che#721: (syntax, tag, elements)
    "SQ": (EXPLICIT, 0x00101002, element(0x00101002, "SQ", b"Roe,Maria 123 ")),
    "less than a header": (EXPLICIT, 0x00101002, element(0x00101002, "SQ", b"ABCDEF")),
    "UN": (EXPLICIT, 0x00101002, element(0x00101002, "UN", b"Roe,Maria 123 ")),
    "implicit": (IMPLICIT, 0x00101002, element(0x00101002, None, b"Roe,Maria 123 ")),
    "private": (IMPLICIT, 0x50011070, ELSCINT + element(0x50011070, None, b"PRIVBYTES!")),
}


@pytest.mark.parametrize("looked_at", [False, True], ids=["unseen", "seen"])
@pytest.mark.parametrize(("syntax", "tag", "elements"), LOOSE.values(), ids=LOOSE)
def test_text_instead_of_items_is_kept(syntax, tag, elements, looked_at):
    sop = SOP if syntax == EXPLICIT else element(0x00080018, None, b"1.2.3\0")
    data_set = dc.dcmread(part10(sop + elements, syntax))
    content = elements[-10:] if b"PRIV" in elements else elements[-6:] if b"ABC" in elements else elements[-14:]
    if looked_at:
        assert data_set[tag].value == []
    for back in (by_json(data_set), by_xml(data_set)):
        assert (back[tag].VR, back[tag].value) == ("UN", content)
    assert repr(content) in str(data_set)
    assert repr(content) in str(data_set[tag])
    from_pydicom = data_set.to_pydicom()
    assert (from_pydicom[tag].VR, from_pydicom[tag].value) == ("UN", content)
    converted = dc.Dataset({tag: data_set[tag]}).to_pydicom()
    assert (converted[tag].VR, converted[tag].value) == ("UN", content)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_text_in_ds_and_is_is_converted_to_pydicom():
    data_set = dc.Dataset()
    data_set.PatientWeight, data_set.Exposure = "70,5", "14.5"
    theirs = data_set.to_pydicom()
    assert (str(theirs.PatientWeight), float(theirs.Exposure)) == ("70,5", 14.5)


def test_a_sequence_without_items_stays_a_sequence():
    data_set = dc.dcmread(part10(SOP + sequence(0x00101002, undefined=True) + element(0x00101003, "SQ")))
    assert json.loads(data_set.to_json())["00101002"] == {"vr": "SQ"}
    assert by_xml(data_set)[0x00101002].VR == "SQ"
    assert data_set.to_pydicom()[0x00101002].VR == "SQ"


# ---- UN ----------------------------------------------------------------------------------------------------------

CODE = item(element(0x00080100, None, b"T-1 "))
UN = {  # pydicom#2062: (tag, bytes, VR, value)
    "text": (0x00185100, b"HFS ", "CS", "HFS"),
    "several": (0x00080008, b"A\\B ", "CS", ["A", "B"]),
    "number": (0x00280010, b"\0\2", "US", 512),
    "decimals": (0x00280030, b"1.5\\2 ", "DS", [1.5, 2.0]),
    "name": (0x00100010, b"Doe^J ", "PN", "Doe^J"),
    "unknown": (0x00111001, b"ab", "UN", b"ab"),
    "not in its creator's dictionary": (0x00091099, b"ab", "UN", b"ab"),
    "in its creator's dictionary": (0x00091001, b"GE_GENESIS_FF ", "LO", "GE_GENESIS_FF"),
    "another length": (0x00280010, b"\0\2\1", "UN", b"\0\2\1"),
    "not text": (0x00100010, b"a\xff", "UN", b"a\xff"),
    "not items": (0x00081032, b"Roe,Maria 123 ", "UN", b"Roe,Maria 123 "),
    "nothing": (0x00185100, b"", "CS", ""),
}


def in_xml(tag: int, vr: str, inside: str) -> str:
    creator = '<DicomAttribute tag="00090010" vr="LO"><Value number="1">GEMS_IDEN_01</Value></DicomAttribute>'
    attribute = f'<DicomAttribute tag="{tag:08X}" vr="{vr}">{inside}</DicomAttribute>'
    return f"<NativeDicomModel>{creator}{attribute}</NativeDicomModel>"


@pytest.mark.parametrize(("tag", "content", "vr", "value"), UN.values(), ids=UN)
def test_un_of_a_known_attribute_gets_its_vr(tag, content, vr, value):
    text = base64.b64encode(content).decode()
    model = {"00090010": {"vr": "LO", "Value": ["GEMS_IDEN_01"]}, f"{tag:08X}": {"vr": "UN", "InlineBinary": text}}
    uri = {**model, f"{tag:08X}": {"vr": "UN", "BulkDataURI": "x"}}
    for made in (
        dc.Dataset.from_json(model),
        dc.Dataset.from_json(uri, bulk_data_uri_handler=lambda uri: content),
        dc.Dataset.from_xml(in_xml(tag, "UN", f"<InlineBinary>{text}</InlineBinary>")),
    ):
        assert (made[tag].VR, made[tag].value) == (vr, value)


def test_un_of_a_known_sequence_gets_its_items():
    text = base64.b64encode(CODE + CODE).decode()
    ds = dc.Dataset.from_json({"00081032": {"vr": "UN", "InlineBinary": text}})
    assert [one.CodeValue for one in ds.ProcedureCodeSequence] == ["T-1", "T-1"]
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    assert [one.CodeValue for one in dc.dcmread(ds.to_bytes()).ProcedureCodeSequence] == ["T-1", "T-1"]


def test_un_is_decoded_in_the_stated_character_set():
    model = {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 100"]},
        "00100010": {"vr": "UN", "InlineBinary": base64.b64encode("Müller".encode("latin-1")).decode()},
    }
    assert dc.Dataset.from_json(model).PatientName == "Müller"


@pytest.mark.parametrize(("tag", "values", "vr", "value"), [
    (0x00185100, ["HFS"], "CS", "HFS"), (0x00280010, ["512"], "US", 512), (0x00111001, ["a", None], "UN", b"a\\"),
    (0x00111001, ["abc"], "UN", b"abc "), (0x00091001, ["x"], "LO", "x"),
])  # fmt: skip
def test_values_of_un_are_read_and_reported(tag, values, vr, value):
    """Some servers send values (dicomtrolley reports one), though PS3.18 F.2.2 allows only bytes."""
    ds = dc.Dataset.from_json({
        "00090010": {"vr": "LO", "Value": ["GEMS_IDEN_01"]}, f"{tag:08X}": {"vr": "UN", "Value": values},
    })  # fmt: skip
    assert (ds[tag].VR, ds[tag].value) == (vr, value)
    assert [issue.code for issue in ds.issues] == ["BAD_VALUE"]


def test_null_among_numbers_is_read_and_reported():
    ds = dc.Dataset.from_json({"00280010": {"vr": "US", "Value": [1, None]}})
    assert ds.Rows == [1, None]
    assert [issue.code for issue in ds.issues] == ["BAD_VALUE"]
    with pytest.raises(dc.EncodeError, match="Rows"):
        ds.to_bytes(enforce_standard=False)


# ---- members and elements that the models do not have ------------------------------------------------------------

UNKNOWN = {  # dcm4che#254, #1019
    "value": ({"vr": "LO", "value": ["x"]}, "'value'.*left empty"),
    "values": ({"vr": "LO", "values": ["x"]}, "'values'.*left empty"),
    "InlineBinaryData": ({"vr": "OB", "InlineBinaryData": "AAAA"}, "'InlineBinaryData'.*left empty"),
    "beside a value": ({"vr": "LO", "Value": ["x"], "keyword": "PatientID"}, "'keyword'"),
}


@pytest.mark.parametrize("inside", [False, True], ids=["top", "item"])
@pytest.mark.parametrize(("attribute", "said"), UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_members_are_reported(attribute, said, inside):
    model = {"00091001": attribute}
    ds = dc.Dataset.from_json({"00081140": {"vr": "SQ", "Value": [model]}} if inside else model)
    assert [issue.code for issue in ds.issues] == ["UNKNOWN_MEMBER"]
    assert ds.issues[0].tag == 0x00091001
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(ds.issues[0].message)


FRAGMENTS = struct.pack("<HHI", 0xFFFE, 0xE000, 0) + struct.pack("<HHI", 0xFFFE, 0xE000, 4) + b"\xff\xd8\xff\xd9"


def test_fragments_written_by_dcm4che_are_read():
    inline = base64.b64encode(b"\xff\xd8\xff\xd9").decode()
    documents = [
        dc.Dataset.from_json({"7FE00010": {"vr": "OB", "DataFragment": [{}, {"InlineBinary": inline}]}}),
        dc.Dataset.from_json({"7FE00010": {"vr": "OB", "DataFragment": [None, {"BulkDataURI": "x"}]}},
                             bulk_data_uri_handler=lambda uri: b"\xff\xd8\xff\xd9"),
        dc.Dataset.from_xml(in_xml(0x7FE00010, "OB",
                                   f'<DataFragment number="2"><InlineBinary>{inline}</InlineBinary></DataFragment>')),
        dc.Dataset.from_xml(in_xml(0x7FE00010, "OB",
                                   '<DataFragment number="2"><BulkData uri="x"/></DataFragment>'),
                            bulk_data_uri_handler=lambda uri: b"\xff\xd8\xff\xd9"),
    ]  # fmt: skip
    for made in documents:
        assert made.PixelData == FRAGMENTS
        assert not made.issues


def test_fragments_without_a_handler_are_reported():
    for made in (
        dc.Dataset.from_json({"7FE00010": {"vr": "OB", "DataFragment": [{}, {"BulkDataURI": "x"}]}}),
        dc.Dataset.from_xml(in_xml(0x7FE00010, "OB", '<DataFragment number="2"><BulkData uri="x"/></DataFragment>')),
    ):
        assert made.PixelData is None
        assert [issue.code for issue in made.issues] == ["BULK_DATA"]


@pytest.mark.parametrize(("numbers", "value"), [
    ((1, 2, 4), ["a", "b", "", "c"]), ((3, 1, 2), ["b", "c", "a"]), ((2,), ["", "a"]), ((2, 1), ["b", "a"]),
], ids=str)  # fmt: skip
def test_a_value_is_put_at_its_number(numbers, value):
    """PS3.19 A.1.5; dcm4che#633: empty values were left out."""
    inside = "".join(f'<Value number="{n}">{text}</Value>' for n, text in zip(numbers, "abc", strict=False))
    assert dc.Dataset.from_xml(in_xml(0x00080008, "CS", inside)).ImageType == value


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_json_in_utf_16_is_refused(encoding):
    with pytest.raises(dc.ParseError, match="UTF-16"):
        dc.Dataset.from_json('{"00100020":{"vr":"LO","Value":["x"]}}'.encode(encoding))


def test_json_in_utf_8_with_a_byte_order_mark_is_read():
    assert dc.Dataset.from_json('{"00100020":{"vr":"LO","Value":["x"]}}'.encode("utf-8-sig")).PatientID == "x"
