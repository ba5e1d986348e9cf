"""pydicom.dataelem, pydicom.multival and pydicom.sequence under install(), against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import Both

SETUP = """
import copy, datetime, pickle
from pydicom import config
from pydicom.dataelem import *
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import Tag
def raw(tag, vr, value, *, ds=None, encoding=None, little=True):
    element = RawDataElement(Tag(tag), vr, len(value), value, 100, vr is None, little)
    made = convert_raw_data_element(element, ds=ds, encoding=encoding)
    return made.VR, made.value, made.file_tell, made.is_undefined_length
def around(**elements):
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds
def caught(kind, action):
    try:
        return action()
    except kind:
        return "caught"
def private():
    ds = Dataset()
    ds.add_new(0x00090010, "LO", "GEMS_IDEN_01")
    return ds
class Own(Dataset):
    pass
"""
SAME = {
    "bytes of text VRs": r'[DataElement(0x00110020, vr, b"1").value for vr in ("PN", "LO", "CS", "UI", "DS",'
    r' "UN", "OB")]',
    "several values": r'DataElement(0x00180050, "DS", "1.50\\2.50").value, DataElement(0x00080060, "CS",'
    r' b"CT\\MR").value',
    "one value in a list": 'DataElement(0x00280010, "US", [3]).value, DataElement(0x00080016, "UI", ["1.2"]).value',
    "numbers that are none": 'DataElement(0x00180050, "DS", "abc")',
    "no value": '[DataElement(0x00110020, vr, None).value for vr in ("PN", "LO", "UI", "DS", "US", "OB")]',
    "text with backslashes": r'DataElement(0x00324000, "LT", "a\\b").value, DataElement(0x00100020, "LO",'
    r' "a\\b").value',
    "UN of a known tag": 'DataElement(0x00100020, "UN", b"abc ").VR, DataElement(0x00110020, "UN", b"abc ").VR',
    "a value that the VR doesn't allow": 'DataElement(0x00080060, "CS", "lower", validation_mode=config.WARN)',
    "the same in mode RAISE": 'DataElement(0x00080060, "CS", "lower", validation_mode=config.RAISE)',
    "VM": '[DataElement(0x00110020, *args).VM for args in (("LO", ""), ("LO", "a"), ("LO", ["a", "b"]), ("SQ",'
    ' []), ("OB", b""))]',
    "is_empty": '[DataElement(0x00110020, *args).is_empty for args in (("LO", ""), ("LO", "a"), ("SQ", []),'
    ' ("US", 0))]',
    "names": '[DataElement(tag, "LO", "a").name for tag in (0x00100010, 0x00110010, 0x00111001, 0x00100000,'
    " 0x60003000)]",
    "is_retired": '[DataElement(tag, "LO", "a").is_retired for tag in (0x00100010, 0x00080001, 0x00111001)]',
    "further attributes": '[getattr(DataElement(0x00100010, "PN", "a"), name) for name in ("file_tell",'
    ' "private_creator",'
    ' "is_undefined_length", "validation_mode", "repval", "is_raw", "is_buffered", "empty_value", "is_private",'
    ' "keyword")]',
    "printed": 'DataElement(0x00100010, "PN", "a"), DataElement(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2"),'
    ' DataElement(0x7FE00010, "OB", bytes(100)), DataElement(0x00180050, "DS", ["1.50", "2.0"]),'
    ' DataElement(0x00110010, "LO", "")',
    "equal": 'DataElement(0x00100010, "PN", "a") == DataElement(0x00100010, "PN", "a"),'
    ' DataElement(0x00100010, "PN", "a") == DataElement(0x00100010, "LO", "a"), DataElement(0x00100010, "PN",'
    ' "a") == "a"',
    "again": 'copy.deepcopy(DataElement(0x00100010, "PN", "a")),'
    ' pickle.loads(pickle.dumps(DataElement(0x00180050, "DS", "1.50")))',
    "to_json_dict": 'DataElement(0x00100010, "PN", "a").to_json_dict(None, 1024), DataElement(0x00180050, "DS",'
    ' ["1.5", "2"])'
    '.to_json_dict(None, 1024), DataElement(0x00080020, "DA", "").to_json_dict(None, 1024),'
    ' DataElement(0x00280009, "AT", 1).to_json()',
    "from_json": 'DataElement.from_json(Dataset, "00100010", "PN", [{"Alphabetic": "a^b"}], "Value").value,'
    ' DataElement.from_json(Dataset, "00180050", "DS", [1.5], "Value").value',
    "an index": 'DataElement(0x00180050, "DS", ["1.50", "2.0"])[0]',
    "an index into a number": 'DataElement(0x00280010, "US", 3)[0]',
    "empty_value_for_VR": '[empty_value_for_VR(vr, raw) for vr in ("SQ", "PN", "LO", "DS", "US",'
    " None) for raw in (False, True)]",
    "a raw element": r'raw(0x00100020, "LO", b"abc "), raw(0x00280010, None, b"\3\0"), raw(0x00280010, "US",'
    r' b"\0\3", little=False)',
    "a raw element of several values": r'raw(0x00180050, "DS", b"1.50\\2.50")',
    "a raw element with codecs": r'raw(0x00100010, "PN", b"\xc4", encoding="latin_1"), raw(0x00100010, "PN",'
    r' b"\xc3\x84", encoding=["utf8"])',
    "a raw private element": 'raw(0x00091001, None, b"GE  ", ds=private()), raw(0x00091001, None, b"ab", ds=None)',
    "a raw element of an unknown tag": 'raw(0x88880088, None, b"ab")',
    "a raw element of an unknown VR": 'raw(0x00100020, "ZZ", b"ab")',
    "a raw element of a wrong length": 'caught(BytesLengthException, lambda: raw(0x00280010, "US", b"abc"))',
    "a data set of raw elements": 'Own({Tag(0x00100020): RawDataElement(Tag(0x00100020), "LO", 2, b"ab", 0,'
    " False, True)}).PatientID",
    "MultiValue": 'MultiValue(int, ["1", "2"]), MultiValue(int, []), MultiValue(int, ["1"]) == [1],'
    " MultiValue(int, [3, 1, 2])[0:2],"
    ' str(MultiValue(float, ["1.50"])), sorted(MultiValue(int, [3, 1])), len(MultiValue(int, [1])),'
    " 1 in MultiValue(int, [1])",
    "MultiValue of what its class refuses": 'MultiValue(int, ["x"])',
    "Sequence": "len(Sequence([Dataset()])), len(Sequence(None)), Sequence([Dataset()]) == [Dataset()],"
    " len(Sequence([Dataset()])[:0])",
    "Sequence of others": "Sequence([1])",
    "Sequence of a data set": "Sequence(Dataset())",
    "an item of another kind": "Sequence([Dataset()]).append(1)",
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)
