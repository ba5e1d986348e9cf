"""pydicom.dataset under install(): `Dataset`, `FileDataset`, `FileMetaDataset`, against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import FILES, Both, params

SETUP = (
    FILES
    + """
import copy, datetime, decimal, hashlib, io, json, pickle, warnings
from pydicom import config, dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import *
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import *
from pydicom.valuerep import DSfloat, IS, PersonName
def ct(**options):
    return dcmread(FILES / "CT_small.dcm", **options)
def plan():
    return dcmread(FILES / "rtplan.dcm")
def around(**elements):
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds
def patient():
    return around(PatientName="A^B", PatientID="1", PixelSpacing=["1.50", "2"], Rows=3,
        ReferencedImageSequence=[around(ReferencedSOPInstanceUID="1.2"), around()])
def tags(ds):
    return sorted(str(tag) for tag in ds.keys())
def plain(model):
    # JSON without what JSON does not tell apart: the order of names, 1 and 1.0
    if isinstance(model, dict):
        return {name: plain(model[name]) for name in sorted(model)}
    if isinstance(model, list):
        return [plain(one) for one in model]
    return float(model) if isinstance(model, (int, float)) else model
def rows(ds):
    return [(e.tag, e.VR, e.VM, e.keyword, e.name, tags(e.value[0]) if e.VR == "SQ" and e.value else e.value)
        for e in ds]
def quiet(action):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return action()
def saved(ds, **options):
    stream = io.BytesIO()
    ds.save_as(stream, **options)
    return stream.getvalue()
class Own(Dataset):
    def __init__(self, extra=None):
        super().__init__()
        self.extra = extra
"""
)

READ = {
    "by keyword": "ds = ct(); ds.PatientName, ds.Rows, ds.PixelSpacing, ds.SOPInstanceUID, ds.StudyDate, ds.KVP",
    "by a missing keyword": "ct().PatientComments",
    "by a word that is no keyword": "ct().NoSuchKeyword",
    "by tag": "ds = ct(); ds[0x00100010].value, ds[0x0010, 0x0020].value, ds[Tag(0x00280010)].value",
    "by text": 'ds = ct(); ds["PatientName"].value, ds["00100020"].value, ds["0x00280010"].value',
    "by text that is no tag": 'ct()["nothing"]',
    "by a missing tag": "ct()[0x00104000]",
    "by a float": "ct()[1.5]",
    "by None": "ct()[None]",
    "by a tuple of three": "ct()[1, 2, 3]",
    "by a negative number": "ct()[-1]",
    "by a slice": "tags(ct()[0x00280000:0x00290000]), tags(ct()[:0x00080010]), tags(ct()[0x7FE00000:])",
    "by a slice with a step": "tags(ct()[0x00080000:0x00100000:2]), tags(ct()[::5])",
    "by a slice of tuples": "tags(ct()[(0x0028, 0):(0x0028, 0x20)])",
    "by a slice of keywords": 'tags(ct()["PatientName":"PatientSex"])',
    "by a slice of all": "ds = ct(); ds[:] == ds, tags(ds[:]) == tags(ds)",
    "a slice keeps": "part = ct()[0x0010:]; hasattr(part, 'file_meta'), type(part).__name__",
    "a slice of an empty data set": "len(Dataset()[:]), len(Dataset()[0:10])",
    "get by keyword": 'ds = ct(); ds.get("PatientName"), ds.get("PatientComments"), ds.get("PatientComments", "x")',
    "get by tag": "ds = ct(); ds.get(0x00100010), ds.get((0x10, 0x20)), ds.get(0x00104000), ds.get(0x00104000, 5)",
    "get by words": 'ds = ct(); ds.get("is_little_endian") is None, ds.get("nothing"), ds.get("00100010", 7)',
    "get by a tag object": "ct().get(Tag('PatientID')).value, ct().get(BaseTag(0x00100010)).VR",
    "get by None": "ct().get(None)",
    "get by a float": "ct().get(1.5, 2)",
    "get_item": "ds = ct(); e = ds.get_item('PatientID'); e.tag, e.VR, ds.get_item(0x00100020).tag",
    "get_item of a slice": "tags(ct().get_item(slice(0x00280000, 0x00290000)))",
    "get_item of a missing tag": "ct().get_item(0x00104000)",
    "get_private_item": 'ct().get_private_item(0x0009, 0x01, "GEMS_IDEN_01").value',
    "get_private_item of another creator": 'ct().get_private_item(0x0009, 0x01, "X")',
    "get_private_item of a missing element": 'ct().get_private_item(0x0009, 0xF0, "GEMS_IDEN_01")',
    "data_element": 'ds = ct(); ds.data_element("PatientID"), ds.data_element("PatientComments")',
    "data_element of no keyword": 'ct().data_element("Nothing")',
    "contains keywords": '"PatientName" in ct(), "PatientComments" in ct()',
    "contains tags": "ds = ct(); 0x00100010 in ds, (0x10, 0x10) in ds, Tag(0x00104000) in ds, 0 in ds",
    "contains text": '"00100010" in ct(), "0x00100010" in ct()',
    "contains what can't be a keyword": '"nothing" in ct()',
    "contains what can't be a tag": "ds = ct(); None in ds, 1.5 in ds, (1, 2, 3) in ds, -1 in ds",
    "contains elements": "ds = ct(); ds['PatientID'] in ds",
    "len": "len(ct()), len(Dataset()), len(plan()), len(ct().file_meta)",
    "bool": "bool(Dataset()), bool(ct())",
    "keys": "[str(tag) for tag in ct().keys()], all(isinstance(tag, BaseTag) for tag in ct().keys())",
    "values": "[str(e.tag) for e in ct().values()], len(ct().values())",
    "items": "[(str(tag), str(e.tag)) for tag, e in ct().items()]",
    "iter": "rows(ct())",
    "iter of a plan": "rows(plan())",
    "reversed": "[e.tag for e in reversed(list(ct()))]",
    "elements": "[str(e.tag) for e in ct().elements()]",
    "iterall": "[(e.tag, e.VR) for e in plan().iterall()]",
    "iterall of two levels": "ds = patient(); [(e.tag, e.VM) for e in ds.iterall()]",
    "dir": "ct().dir()",
    "dir of words": 'ct().dir("Patient"), ct().dir("pixel", "image"), ct().dir("Nothing")',
    "dir of a plan": "plan().dir()",
    "dir of numbers": "ct().dir(1)",
    "__dir__": "ds = ct(); [name for name in dir(ds) if name[:1].isupper()]",
    "methods": "names = set(dir(ct())); [name in names for name in ('walk', 'save_as', 'Rows', 'PatientComments')]",
    "trait_names": "[name for name in ct().trait_names() if name[:1].isupper()]",
    "group_dataset": "tags(ct().group_dataset(0x0028)), tags(ct().group_dataset(0x7777)), tags(ct().group_dataset(9))",
    "top": "ct().top(), plan().top()",
    "hasattr": 'ds = ct(); [hasattr(ds, name) for name in ("PatientName", "PatientComments", "Nope", "walk", "rows")]',
    "getattr with a default": 'getattr(ct(), "PatientComments", "x"), getattr(ct(), "Rows", 0)',
    "private keyword": "ct().GE_Nothing",
}
PRINT = {
    "str": "str(ct())",
    "str of a plan": "str(plan())",
    "str of other files": "[str(dcmread(FILES / name)) for name in ('MR_small.dcm', 'rtstruct.dcm', 'test-SR.dcm',"
    " 'reportsi.dcm', 'waveform_ecg.dcm', 'priv_SQ.dcm', 'nested_priv_SQ.dcm')]",
    "str in memory": "str(patient())",
    "repr": "repr(patient()), repr(Dataset()), repr(ct()) == str(ct())",
    "str of File Meta Information": "str(ct().file_meta), repr(FileMetaDataset())",
    "str of an empty data set": "str(Dataset()), str(Sequence()), repr(Sequence([Dataset()]))",
    "str of a sequence": "str(plan().BeamSequence), repr(plan().BeamSequence) == str(plan().BeamSequence)",
    "str of an element": "[str(e) for e in ct()], [repr(e) for e in patient()]",
    "formatted_lines": "list(ct().formatted_lines())",
    "formatted_lines of a format": 'list(patient().formatted_lines("%(tag)s %(VR)s %(repval)s"))',
    "formatted_lines with one for sequences": 'list(patient().formatted_lines("%(name)s", "seq %(keyword)s"))',
    "formatted_lines of all names": "list(patient().formatted_lines('%(tag)s|%(name)s|%(VR)s|%(repval)s|%(VM)s|"
    "%(value)s|%(keyword)s|%(is_undefined_length)s'))",
    "formatted_lines indented": 'list(patient().formatted_lines(indent_format=">>"))',
    "show_file_meta": "str(ct()).splitlines()[0]",
    "format": 'f"{patient()}", "%s" % patient()',
    "repval": "[e.repval for e in ct()]",
    "text of several lines": r'str(around(PatientComments="a\r\nb\tc"))',
    "long values": "str(around(PixelData=bytes(100), PatientComments='x' * 100, ImagePositionPatient=[1, 2, 3]))",
    "empty values": "str(around(PatientName='', PatientID=None, Rows=None, PixelSpacing=[],"
    " ReferencedImageSequence=[]))",
    "private": "ds = Dataset(); ds.private_block(0x11, 'me', create=True).add_new(1, 'LO', 'x'); str(ds)",
    "repeating group": "ds = Dataset(); ds.add_new(0x60020010, 'US', 1); ds.add_new(0x60020000, 'UL', 4); str(ds)",
}
SET = {
    "by keyword": "ds = Dataset(); ds.PatientName = 'A^B'; ds.Rows = 2; ds.PixelSpacing = [1.5, '2.0']; rows(ds)",
    "by keyword twice": "ds = Dataset(); ds.Rows = 2; ds.Rows = 3; rows(ds)",
    "keyword by setattr": "ds = Dataset(); setattr(ds, 'PatientID', 'x'); rows(ds)",
    "keeps the VR": "ds = Dataset(); ds.add_new(0x00100010, 'LO', 'x'); ds.PatientName = 'y'; rows(ds)",
    "a word that is no keyword": "ds = Dataset(); ds.something = 5; ds.something, len(ds), 'something' in vars(ds)",
    "a camel-case word": "ds = Dataset(); ds.PatientNme = 5; len(ds), ds.PatientNme",
    "a group of a repeater": "ds = Dataset(); ds.OverlayRows = 5; rows(ds)",
    "by tag": "ds = Dataset(); ds[0x00100020] = DataElement(0x00100020, 'LO', 'x'); rows(ds)",
    "by tuple": "ds = Dataset(); ds[0x10, 0x20] = DataElement((0x10, 0x20), 'LO', 'x'); rows(ds)",
    "by text": "ds = Dataset(); ds['PatientID'] = DataElement('PatientID', 'LO', 'x'); rows(ds)",
    "by another tag": "ds = Dataset(); ds[0x00100010] = DataElement(0x00100020, 'LO', 'x')",
    "by text that is no tag": "ds = Dataset(); ds['nothing'] = DataElement('PatientID', 'LO', 'x')",
    "by a slice": "ds = Dataset(); ds[1:2] = DataElement('PatientID', 'LO', 'x')",
    "a value in place of an element": "ds = Dataset(); ds['PatientID'] = 'x'",
    "a private element without a creator": "ds = Dataset(); ds[0x00110020] = DataElement(0x00110020, 'LO', 'x');"
    " rows(ds)",
    "a private element with one": "ds = Dataset(); ds.add_new(0x00110010, 'LO', 'me');"
    " ds.add_new(0x00111001, 'LO', 'x'); rows(ds), ds[0x00111001].private_creator",
    "value of an element": "ds = patient(); ds['PatientID'].value = 'y'; ds[0x00100010].value = 'Z'; rows(ds)",
    "an entry of a value": "ds = patient(); ds.PixelSpacing[0] = 7.0; ds.PixelSpacing, ds['PixelSpacing'].VM",
    "an entry of a file's value": "ds = ct(); ds.ImagePositionPatient[2] = 7.5; ds.ImagePositionPatient",
    "an entry appended": "ds = around(ImageType=['A', 'B']); ds.ImageType.append('C'); ds.ImageType",
    "an element of another data set": "ds = Dataset(); ds['PatientID'] = ct()['PatientID']; rows(ds)",
    "an element set in two": "a, b = patient(), Dataset(); b.add(a['PatientID']); b.PatientID = 'z'; b.PatientID",
    "add": "ds = Dataset(); ds.add(DataElement(0x00280010, 'US', 3)); ds.add(DataElement(8, 'UL', 3)); rows(ds)",
    "add of a value": "Dataset().add(3)",
    "add_new": "ds = Dataset(); ds.add_new(0x00280010, 'US', 3); ds.add_new('PatientID', 'LO', 'x');"
    " ds.add_new((0x10, 0x10), 'PN', 'A'); rows(ds)",
    "add_new again": "ds = Dataset(); ds.add_new(0x00280010, 'US', 3); ds.add_new(0x00280010, 'SS', -3); rows(ds)",
    "add_new of a sequence": "ds = Dataset(); ds.add_new(0x00081140, 'SQ', [around(PatientID='x')]); str(ds)",
    "add_new without a value": "ds = Dataset(); ds.add_new(0x00100020, 'LO', None); ds.add_new(0x00280010, 'US', None);"
    " ds.add_new(0x00081140, 'SQ', None); rows(ds)",
    "in any order": "ds = Dataset(); ds.Rows = 1; ds.PatientID = 'x'; ds.StudyDate = '20200101'; tags(ds)",
    "None": "ds = around(PatientID=None, PatientName=None, Rows=None, StudyDate=None, PixelSpacing=None,"
    " SOPInstanceUID=None, ReferencedImageSequence=None); [(e.VR, e.value, e.VM, e.is_empty) for e in ds]",
    "empty text": "ds = around(PatientID='', PatientName='', StudyDate='', PixelSpacing='', SOPInstanceUID='',"
    " PatientAge=''); [(e.VR, e.value, e.VM, e.is_empty) for e in ds]",
    "lists of one": "ds = around(ImageType=['X'], PixelSpacing=[1], OtherPatientNames=['A'],"
    " FrameIncrementPointer=[8]);"
    " [(e.value, e.VM) for e in ds]",
    "empty lists": "ds = around(ImageType=[], PixelSpacing=[], OtherPatientNames=[], FrameIncrementPointer=[]);"
    " [(e.value, e.VM) for e in ds]",
    "backslashes": r"ds = around(ImageType='A\\B', PixelSpacing='1.50\\2', PatientComments='a\\b'); rows(ds)",
    "tags as values": "ds = around(FrameIncrementPointer=0x00181063, DimensionIndexPointer='PatientID'); rows(ds)",
    "a tag of two numbers": "around(FrameIncrementPointer=(0x0018, 0x1063)).FrameIncrementPointer",
    "tags of two numbers": "around(FrameIncrementPointer=[(0x0018, 0x1063), 0x00100010]).FrameIncrementPointer",
    "UIDs": "ds = around(SOPClassUID=CTImageStorage); ds.SOPClassUID.name, ds.SOPClassUID =="
    " '1.2.840.10008.5.1.4.1.1.2'",
    "UID kinds": "ds = around(SOPClassUID='1.2.840.10008.5.1.4.1.1.2'); type(ds.SOPClassUID).__name__,"
    " ds.SOPClassUID.name",
    "names": "ds = around(PatientName='Ä^B=C'); n = ds.PatientName; n.family_name, n.given_name, n.ideographic, len(n)",
    "names of names": "around(PatientName=PersonName('A^B')).PatientName, around(OtherPatientNames=['A',"
    " 'B']).OtherPatientNames",
    "numbers as text": "ds = around(Rows=3, SeriesNumber='05', SliceThickness='1.50'); ds.SeriesNumber,"
    " ds.SliceThickness",
    "numbers printed": "ds = around(SeriesNumber='05', SliceThickness='1.50'); str(ds.SeriesNumber),"
    " str(ds.SliceThickness),"
    " ds.SliceThickness + 1, f'{ds.SliceThickness:.3f}'",
    "floats as DS": "str(around(SliceThickness=1.1)), str(around(SliceThickness=1/3).SliceThickness)",
    "ints as DS": "ds = around(SliceThickness=3, PixelSpacing=[1, 2]); str(ds), ds.SliceThickness / 2",
    "numbers as IS": "ds = around(SeriesNumber=4 / 2, InstanceNumber=True); ds.SeriesNumber, ds.InstanceNumber + 1",
    "a fraction as IS": "around(SeriesNumber=1.5).SeriesNumber",
    "text that is no number": "around(SeriesNumber='x')",
    "text that is no DS": "around(SliceThickness='x')",
    "Decimal as DS": "around(SliceThickness=decimal.Decimal('1.50')).SliceThickness",
    "dates": "ds = around(StudyDate=datetime.date(2020, 1, 2), StudyTime=datetime.time(1, 2, 3)); rows(ds),"
    " ds.StudyDate == datetime.date(2020, 1, 2)",
    "a point in time": "around(AcquisitionDateTime=datetime.datetime(2020, 1, 2, 3, 4, 5)).AcquisitionDateTime",
    "a number as text": "around(PatientID=5)",
    "a number as a UID": "around(SOPInstanceUID=5)",
    "bytes as text": "around(PatientID=b'abc').PatientID",
    "text as bytes": "around(PixelData='abc')",
    "text that is too long": "around(PatientSex='x' * 20).PatientSex, around(PatientID='x' * 70).PatientID",
    "lower case in CS": "around(Modality='ct').Modality",
    "a wrong date": "around(StudyDate='2020').StudyDate",
    "a wrong UID": "around(SOPInstanceUID='1.2.x').SOPInstanceUID",
    "a number out of range": "around(Rows=70000).Rows",
    "a text as a sequence": "around(ReferencedImageSequence='x')",
    "numbers as a sequence": "around(ReferencedImageSequence=[1])",
    "a Sequence": "ds = around(ReferencedImageSequence=Sequence([around(PatientID='x')]));"
    " ds.ReferencedImageSequence[0].PatientID",
    "a list as a sequence": "items = [around(PatientID='x')]; ds = around(ReferencedImageSequence=items);"
    " type(ds.ReferencedImageSequence).__name__, len(ds.ReferencedImageSequence)",
    "an item appended": "ds = around(ReferencedImageSequence=[]);"
    " ds.ReferencedImageSequence.append(around(PatientID='x'));"
    " str(ds)",
    "an item changed": "ds = plan(); ds.BeamSequence[0].BeamName = 'x'; ds.BeamSequence[0].BeamName, ds == plan()",
    "an item deleted": "ds = plan(); del ds.BeamSequence[0]; len(ds.BeamSequence), ds['BeamSequence'].VM",
    "an item inserted": "ds = patient(); ds.ReferencedImageSequence.insert(0, around(PatientID='x')); str(ds)",
    "parent of an item": "ds = patient(); ds.ReferencedImageSequence[0].parent is None",
    "through the empty data set's sequence": "Dataset().BeamSequence",
}
DELETE = {
    "by keyword": "ds = patient(); del ds.PatientID; tags(ds), hasattr(ds, 'PatientID')",
    "by a missing keyword": "ds = patient(); del ds.PatientComments",
    "by no keyword": "ds = patient(); del ds.nothing",
    "an attribute": "ds = patient(); ds.own = 1; del ds.own; hasattr(ds, 'own')",
    "by tag": "ds = patient(); del ds[0x00100010]; del ds[0x10, 0x20]; tags(ds)",
    "by text": "ds = patient(); del ds['PatientID']; tags(ds)",
    "by a missing tag": "ds = patient(); del ds[0x00104000]",
    "by a slice": "ds = ct(); del ds[0x00080000:0x00200000]; tags(ds)",
    "by a slice of all": "ds = ct(); del ds[:]; len(ds)",
    "by text that is no tag": "ds = patient(); del ds['nothing']",
    "in a file's data set": "ds = ct(); del ds.PatientName; del ds[0x00280010]; tags(ds)",
    "pop": "ds = patient(); ds.pop('PatientID'), ds.pop(0x00100010).value, ds.pop((0x28, 0x10)).value, tags(ds)",
    "pop of a missing element": "patient().pop(0x00104000)",
    "pop with a default": "ds = patient(); ds.pop(0x00104000, 1), ds.pop('PatientComments', None), ds.pop('nothing',"
    " 2)",
    "pop of no keyword": "patient().pop('nothing')",
    "popitem": "ds = around(PatientID='x'); tag, e = ds.popitem(); tag, e.value, len(ds)",
    "popitem of nothing": "Dataset().popitem()",
    "clear": "ds = ct(); ds.clear(); len(ds), hasattr(ds, 'file_meta')",
    "remove_private_tags": "ds = ct(); ds.remove_private_tags(); tags(ds)",
    "remove_private_tags of items": "ds = dcmread(FILES / 'nested_priv_SQ.dcm'); ds.remove_private_tags(); str(ds)",
    "while iterating": "ds = ct(); [ds.__delitem__(e.tag) for e in ds if e.tag.is_private]; tags(ds)",
    "an element, then set": "ds = patient(); del ds.PatientID; ds.PatientID = 'new'; rows(ds)",
}
DICT = {
    "setdefault": "ds = patient(); ds.setdefault('PatientID', 'z').value, ds.setdefault('PatientComments', 'c').value",
    "setdefault of an element": "ds = Dataset(); ds.setdefault(0x00100020, DataElement(0x00100020, 'LO', 'x')).value,"
    " rows(ds)",
    "setdefault without a value": "ds = Dataset(); ds.setdefault('PatientID').value, ds.setdefault(0x00280010).value",
    "setdefault of a private tag": "ds = ct(); ds.setdefault(0x00091001, 'x').value, ds.setdefault(0x000910F0, 'x').VR",
    "setdefault of an unknown tag": "Dataset().setdefault(0x88880001, b'x').VR",
    "setdefault of no keyword": "Dataset().setdefault('nothing', 1)",
    "update of a data set": "ds = patient(); ds.update(around(PatientID='z', StudyDate='20200101')); rows(ds)",
    "update of a dict": "ds = patient(); ds.update({0x00100020: DataElement(0x00100020, 'LO', 'q')}); rows(ds)",
    "update from a file": "ds = Dataset(); ds.update(ct()); ds == ct(), len(ds) == len(ct())",
    "update of values": "Dataset().update({'PatientID': 'x'})",
    "fromkeys": "Dataset.fromkeys([0x00100010])",
    "from a dict": "rows(Dataset({0x00100020: DataElement(0x00100020, 'LO', 'q')}))",
    "from a data set": "rows(Dataset(patient())), Dataset(ct()) == ct()",
    "from keywords": "Dataset(PatientID='x')",
    "as a context": "\nwith ct() as ds:\n    rows_there = ds.Rows\nrows_there",
    "unhashable": "hash(patient())",
    "sorted": "[e.tag for e in sorted(patient(), key=lambda e: -e.tag)]",
}
COMPARE = {
    "equal": "patient() == patient(), ct() == ct(), patient() != patient(), Dataset() == Dataset()",
    "another value": "a, b = patient(), patient(); b.PatientID = 'z'; a == b, a != b",
    "another element": "a, b = patient(), patient(); del b.PatientID; a == b, b == a",
    "another VR": "a, b = Dataset(), Dataset(); a.add_new(0x00100020, 'LO', 'x'); b.add_new(0x00100020, 'SH', 'x'); a"
    " == b",
    "in an item": "a, b = patient(), patient(); b.ReferencedImageSequence[0].PatientID = 'x'; a == b",
    "with other things": "patient() == 1, patient() == {}, patient() == None, patient() != 'x', Dataset() == {}",
    "of a subclass": "class_ = type('Sub', (Dataset,), {}); a = class_(); a.PatientID = 'x'; a =="
    " around(PatientID='x')",
    "attributes": "a, b = patient(), patient(); b.own = 1; a == b",
    "File Meta Information": "a, b = ct(), ct(); b.file_meta.ImplementationVersionName = 'x'; a == b,"
    " a.file_meta == b.file_meta",
    "of a file and of memory": "ds = ct(); copy_ = Dataset(ds); copy_ == ds, ds == copy_",
    "numbers": "around(SliceThickness='1.50') == around(SliceThickness=1.5)",
    "a digit": "around(SeriesNumber='05') == around(SeriesNumber=5)",
    "names": "around(PatientName='A^B') == around(PatientName='A^B^'), around(PatientName='A') =="
    " around(PatientName='A==')",
    "empty and None": "around(PatientID='') == around(PatientID=None)",
    "sequences": "plan().BeamSequence == plan().BeamSequence, plan().BeamSequence != plan().BeamSequence[:]",
    "elements": "ct()['Rows'] == ct()['Rows'], ct()['Rows'] == ct()['Columns'], ct()['Rows'] == 128",
    "other files": "dcmread(FILES / 'MR_small.dcm') == dcmread(FILES / 'MR_small_implicit.dcm')",
    "other byte order": "dcmread(FILES / 'MR_small.dcm') == dcmread(FILES / 'MR_small_bigendian.dcm')",
}
COPY = {
    "copy": "ds = patient(); again = copy.copy(ds); again == ds, type(again).__name__, again is ds",
    "copy of a file's data set": "ds = ct(); again = copy.copy(ds); again == ds, type(again).__name__,"
    " again.file_meta == ds.file_meta, again.preamble == ds.preamble, again.filename == ds.filename",
    "deepcopy": "ds = patient(); again = copy.deepcopy(ds); again.ReferencedImageSequence[0].PatientID = 'x';"
    " again.PixelSpacing[0] = 9.0; str(ds), str(again)",
    "deepcopy of a file's data set": "ds = plan(); again = copy.deepcopy(ds); again.BeamSequence[0].BeamName = 'x';"
    " ds == plan(), again == ds, type(again).__name__, again.filename == ds.filename",
    "deepcopy with attributes": "ds = patient(); ds.own = [1]; again = copy.deepcopy(ds); again.own.append(2); ds.own,"
    " again.own",
    "deepcopy of a private block": "ds = ct(); again = copy.deepcopy(ds); again.private_block(9,"
    " 'GEMS_IDEN_01')[1].value",
    "deepcopy of File Meta Information": "m = copy.deepcopy(ct().file_meta); m == ct().file_meta, type(m).__name__",
    "deepcopy of a stream's data set": "ds = dcmread(io.BytesIO((FILES / 'CT_small.dcm').read_bytes()));"
    " copy.deepcopy(ds) == ds",
    "deepcopy of an item": "item = copy.deepcopy(plan().BeamSequence[0]); item == plan().BeamSequence[0]",
    "deepcopy of a sequence": "copy.deepcopy(plan().BeamSequence) == plan().BeamSequence",
    "pickle": "ds = patient(); pickle.loads(pickle.dumps(ds)) == ds, str(pickle.loads(pickle.dumps(ds)))",
    "pickle of a file's data set": "ds = pickle.loads(pickle.dumps(ct())); ds == ct(), ds.file_meta == ct().file_meta,"
    " type(ds).__name__, ds.preamble == ct().preamble",
    "pickle of a changed one": "ds = ct(); ds.PatientID = 'x'; ds = pickle.loads(pickle.dumps(ds)); ds.PatientID,"
    " len(ds)",
    "pickle of an element": "pickle.loads(pickle.dumps(ct()['PixelSpacing']))",
    "pickle of a sequence": "pickle.loads(pickle.dumps(plan().BeamSequence)) == plan().BeamSequence",
    "pickle of a subclass": "ds = Own(3); ds.PatientID = 'x'; again = copy.deepcopy(ds); again.extra, again.PatientID",
    "the copy method": "again = patient().copy(); again == patient(), type(again).__name__",
    "encoding of a copy": "ds = copy.deepcopy(ct()); ds.original_encoding, ds.original_character_set",
}
PRIVATE = {
    "private_block": "b = ct().private_block(0x0009, 'GEMS_IDEN_01'); b.group, b.private_creator, b.block_start, 1 in"
    " b,"
    " 0xF0 in b, b[1].value, b.get_tag(1)",
    "of an absent creator": "ct().private_block(0x0009, 'X')",
    "of an even group": "ct().private_block(0x0010, 'X')",
    "of an empty creator": "Dataset().private_block(0x0009, '', create=True)",
    "created": "ds = Dataset(); b = ds.private_block(0x0011, 'me', create=True); b.add_new(1, 'LO', 'x');"
    " b.add_new(2, 'US', 3); rows(ds)",
    "created beside another": "ds = ct(); b = ds.private_block(0x0009, 'me', create=True); b.add_new(1, 'LO', 'x');"
    " b.get_tag(1), ds[b.get_tag(1)].value",
    "created twice": "ds = Dataset(); ds.private_block(0x11, 'me', create=True);"
    " ds.private_block(0x11, 'me', create=True); rows(ds)",
    "an element deleted": "ds = ct(); b = ds.private_block(9, 'GEMS_IDEN_01'); del b[1]; 1 in b",
    "an element set": "ds = ct(); b = ds.private_block(9, 'GEMS_IDEN_01'); b[1].value = 'z'; ds[0x00091001].value",
    "an element missing": "ct().private_block(9, 'GEMS_IDEN_01')[0xF0]",
    "an offset too large": "Dataset().private_block(0x11, 'me', create=True).add_new(0x100, 'LO', 'x')",
    "private_creators": "ct().private_creators(0x0009), ct().private_creators(0x0043), ct().private_creators(0x0055)",
    "private_creators of an even group": "ct().private_creators(0x0010)",
    "add_new_private": "ds = Dataset(); ds.add_new_private('GEMS_GENIE_1', 0x0009, 0x10, 'x', 'LO'); rows(ds)",
    "add_new_private by the dictionary": "ds = Dataset(); ds.add_new_private('GEMS_GENIE_1', 0x0009, 0x10, 'x');"
    " rows(ds)",
    "add_new_private not in the dictionary": "Dataset().add_new_private('nobody', 0x0009, 0x10, 'x')",
    "names": "[(e.tag, e.name, e.private_creator) for e in ct() if e.tag.is_private]",
    "walk over creators": "[e.value for e in ct() if e.tag.is_private_creator]",
}
WALK = {
    "walk": "seen = []; plan().walk(lambda ds, e: seen.append((str(e.tag), len(ds)))); seen",
    "walk of one level": "seen = []; plan().walk(lambda ds, e: seen.append(str(e.tag)), recursive=False); seen",
    "walk that deletes": """
        ds = plan()
        def remove(ds, e):
            if e.VR == 'DS':
                del ds[e.tag]
        ds.walk(remove)
        str(ds)
        """,
    "walk that changes": """
        ds = plan()
        def change(ds, e):
            if e.VR == 'LO':
                e.value = 'x'
        ds.walk(change)
        str(ds)
        """,
    "walk of files": "ds = dcmread(FILES / 'reportsi.dcm'); seen = []; ds.walk(lambda _, e: seen.append(str(e))); seen",
    "decode": "ds = ct(); ds.decode(); ds == ct(), str(ds) == str(ct())",
    "decode of Cyrillic": "ds = dcmread(FILES.parent / 'charset_files' / 'chrRuss.dcm'); ds.decode(); ds.PatientName",
}
META = {
    "of a file": "rows(ct().file_meta)",
    "type": "type(ct().file_meta).__name__, isinstance(ct().file_meta, Dataset), type(FileMetaDataset()).__name__",
    "of memory": "Dataset().file_meta",
    "hasattr of memory": "hasattr(Dataset(), 'file_meta'), hasattr(Dataset(), 'preamble'), hasattr(ct(), 'preamble')",
    "ensure_file_meta": "ds = Dataset(); ds.ensure_file_meta(); len(ds.file_meta), type(ds.file_meta).__name__",
    "ensure_file_meta of a file": "ds = ct(); ds.ensure_file_meta(); ds.file_meta == ct().file_meta",
    "edited": "ds = ct(); ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian;"
    " ds.file_meta.ImplementationVersionName = 'x'; rows(ds.file_meta)",
    "set": "ds = Dataset(); ds.file_meta = FileMetaDataset(); ds.file_meta.TransferSyntaxUID = '1.2.840.10008.1.2';"
    " ds.file_meta.TransferSyntaxUID.name, ds.file_meta.TransferSyntaxUID.is_implicit_VR",
    "set to a data set": "ds = Dataset(); ds.file_meta = Dataset(); type(ds.file_meta).__name__",
    "set to a text": "ds = Dataset(); ds.file_meta = 'x'",
    "set to None": "ds = Dataset(); ds.file_meta = None; ds.file_meta",
    "deleted": "ds = ct(); del ds.file_meta; hasattr(ds, 'file_meta')",
    "other groups": "m = FileMetaDataset(); m.PatientID = 'x'",
    "other groups by tag": "m = FileMetaDataset(); m.add_new(0x00100020, 'LO', 'x')",
    "from another data set": "FileMetaDataset(patient())",
    "from File Meta Information": "m = FileMetaDataset(ct().file_meta); m == ct().file_meta",
    "from a number": "FileMetaDataset(1)",
    "from a dict": "rows(FileMetaDataset({0x00020010: DataElement(0x00020010, 'UI', '1.2')}))",
    "group 2 in a data set": "ds = Dataset(); ds.TransferSyntaxUID = '1.2'; rows(ds)",
    "keywords": "ds = ct(); ds.file_meta.dir(), ds.file_meta.get('TransferSyntaxUID'), 'MediaStorageSOPClassUID' in"
    " ds.file_meta",
    "deleted element": "m = ct().file_meta; del m.ImplementationVersionName; tags(m)",
    "copied": "ds = patient(); ds.file_meta = ct().file_meta; ds.file_meta is not None, len(ds.file_meta)",
    "validate_file_meta": "m = FileMetaDataset(); m.MediaStorageSOPClassUID = '1.2'; m.MediaStorageSOPInstanceUID ="
    " '1.3';"
    " m.TransferSyntaxUID = '1.2.840.10008.1.2'; validate_file_meta(m); [t for t in tags(m) if t != '(0002,0013)']",
    "validate_file_meta of too little": "validate_file_meta(FileMetaDataset())",
    "validate_file_meta not enforced": "m = FileMetaDataset(); validate_file_meta(m, enforce_standard=False); len(m)",
    "validate_file_meta of a data set": "validate_file_meta(patient(), enforce_standard=False)",
}
FILE = {
    "attributes": "ds = ct(); ds.filename == str(FILES / 'CT_small.dcm'), len(ds.preamble),"
    " quiet(lambda: (ds.is_implicit_VR, ds.is_little_endian, ds.original_encoding, ds.original_character_set,"
    " ds.read_implicit_vr, ds.read_little_endian))",
    "attributes of memory": "ds = Dataset(); ds.original_encoding, ds.original_character_set, ds.is_original_encoding,"
    " quiet(lambda: (ds.is_implicit_VR, ds.is_little_endian, ds.read_implicit_vr))",
    "of others": "[(ds.original_encoding, ds.original_character_set, ds.is_original_encoding) for ds in map(dcmread,"
    " map(str, sorted(FILES.parent.glob('charset_files/chr*.dcm'))))]",
    "of other encodings": "[dcmread(FILES / n).original_encoding for n in ('MR_small_implicit.dcm',"
    " 'MR_small_bigendian.dcm', 'image_dfl.dcm', 'rtplan.dcm')]",
    "is_original_encoding": "ds = ct(); before = ds.is_original_encoding; ds.SpecificCharacterSet = 'ISO_IR 192';"
    " before, ds.is_original_encoding",
    "of an item": "item = plan().BeamSequence[0]; item.original_encoding, item.is_undefined_length_sequence_item",
    "set_original_encoding": "ds = Dataset(); ds.set_original_encoding(True, False, 'latin1'); ds.original_encoding,"
    " ds.original_character_set, ds.is_original_encoding",
    "is_implicit_VR set": "ds = Dataset(); ds.is_implicit_VR = True; ds.is_little_endian = True; ds.is_implicit_VR,"
    " ds.is_little_endian, ds.original_encoding",
    "filename set": "ds = ct(); ds.filename = 'x'; ds.filename",
    "FileDataset": "ds = FileDataset('a.dcm', patient(), file_meta=FileMetaDataset(), preamble=bytes(128));"
    " ds.filename, len(ds), ds.preamble == bytes(128), len(ds.file_meta), ds.is_implicit_VR, ds.is_little_endian",
    "FileDataset of nothing": "ds = FileDataset('a.dcm', {}); ds.PatientID = 'x'; ds.filename, rows(ds), ds.preamble,"
    " len(ds.file_meta)",
    "FileDataset of a path": "FileDataset(Path('a.dcm'), {}).filename",
    "FileDataset of a stream": "s = io.BytesIO(); ds = FileDataset(s, {}); ds.filename, ds.buffer is s,"
    " ds.fileobj_type.__name__",
    "FileDataset of None": "FileDataset(None, {}).filename",
    "FileDataset explicit": "ds = FileDataset('a', {}, is_implicit_VR=False, is_little_endian=False);"
    " ds.is_implicit_VR, ds.is_little_endian, ds.original_encoding",
    "FileDataset of a stream of a file": "s = open(FILES / 'CT_small.dcm', 'rb'); dcmread(s).filename == s.name",
    "timestamp": "import os; ct().timestamp == os.stat(FILES / 'CT_small.dcm').st_mtime",
    "timestamp of a stream": "dcmread(io.BytesIO((FILES / 'CT_small.dcm').read_bytes())).timestamp",
    "preamble set": "ds = ct(); ds.preamble = b'x' * 128; saved(ds)[:132]",
    "instances": "isinstance(ct(), FileDataset), isinstance(ct(), Dataset), isinstance(plan().BeamSequence[0],"
    " Dataset),"
    " isinstance(plan().BeamSequence[0], FileDataset), isinstance(plan().BeamSequence, Sequence),"
    " isinstance(ct().ImageType, MultiValue), isinstance(ct()['Rows'], DataElement)",
    "value types": "[[e.keyword, [isinstance(e.value, kind) for kind in (float, int, DSfloat, IS, PersonName, UID)]]"
    " for e in ct() if e.VM == 1 and e.VR in ('PN', 'UI', 'DS', 'IS')]",
    "own class": "ds = Own(5); ds.PatientID = 'x'; ds.extra, rows(ds), isinstance(ds, Dataset)",
}
JSON = {
    "to_json_dict": "plain(ct().to_json_dict())",
    "to_json_dict of a plan": "plain(plan().to_json_dict())",
    "to_json_dict in memory": "plain(patient().to_json_dict())",
    "to_json": "plain(json.loads(ct().to_json()))",
    "to_json of several files": "[plain(json.loads(dcmread(FILES / n).to_json())) for n in ('MR_small.dcm',"
    " 'rtstruct.dcm',"
    " 'test-SR.dcm', 'MR_small_bigendian.dcm', 'rtdose.dcm')]",
    "without binary": "sorted(ct().to_json_dict(0)), list(around(Rows=1).to_json_dict(bulk_data_threshold=5))",
    "with a handler": "ds = dcmread(FILES / 'MR_small.dcm'); plain(ds.to_json_dict(1024, lambda e: f'uri-{e.tag}'))",
    "to_json with a handler": "ds = around(PixelData=bytes(2000));"
    " json.loads(ds.to_json(1024, bulk_data_element_handler=lambda e: 'u'))['7FE00010']['BulkDataURI']",
    "a dump handler": "ct().to_json(dump_handler=lambda d: str(sorted(d)[:3]))",
    "empty": "Dataset().to_json_dict(), plain(around(PatientID='', Rows=None).to_json_dict())",
    "every VR": "plain(around(PatientName='Ä=B', FrameIncrementPointer=8, SliceThickness='1.50', SeriesNumber='05',"
    " StudyDate='20200101', Rows=1, SOPClassUID='1.2', EventElapsedTimes=[1, '2.5'],"
    " ImageType=['A', 'B'], OtherPatientNames=['A', 'B']).to_json_dict())",
    "from_json": "ds = Dataset.from_json(ct().to_json()); ds == ct(), rows(ds)",
    "from_json of a plan": "ds = Dataset.from_json(plan().to_json()); ds == plan(), str(ds) == str(plan())",
    "from_json of a dict": "Dataset.from_json(plan().to_json_dict()) == plan()",
    "from_json of the file": "quiet(lambda: str(Dataset.from_json((FILES / 'test1.json').read_text())))",
    "from_json of names": "str(Dataset.from_json((FILES / 'test_PN.json').read_text()))",
    "from_json with a handler": "ds = Dataset.from_json({'7FE00010': {'vr': 'OB', 'BulkDataURI': 'u'}},"
    " lambda tag, vr, uri: (tag + vr + uri).encode()); ds.PixelData",
    "from_json with a handler of one": "ds = Dataset.from_json({'7FE00010': {'vr': 'OB', 'BulkDataURI': 'u'}},"
    " lambda uri: uri.encode()); ds.PixelData",
    "from_json without values": "rows(Dataset.from_json({'00100020': {'vr': 'LO'}, '00280010': {'vr': 'US', 'Value':"
    " []}}))",
    "of a subclass": "type(type('Sub', (Dataset,), {}).from_json('{}')).__name__",
    "element": "ct()['PixelSpacing'].to_json(), ct()['PatientName'].to_json_dict(None, 1024)",
}
TABLES = {
    "read": READ,
    "print": PRINT,
    "set": SET,
    "delete": DELETE,
    "dict": DICT,
    "compare": COMPARE,
    "copy": COPY,
    "private": PRIVATE,
    "walk": WALK,
    "meta": META,
    "file": FILE,
    "json": JSON,
}
SAME = {f"{table}: {name}": case for table, cases in TABLES.items() for name, case in cases.items()}
FAULTS = {
    "delete: pop with a default": "a warning of a word that is no keyword",
    "read: by None": "TypeError, not KeyError",
    "read: by a float": "TypeError, not KeyError",
    "read: by a negative number": "OverflowError, not KeyError",
    "read: by a tuple of three": "ValueError, not KeyError",
    "read: contains elements": "no warning",
    "read: contains what can't be a tag": "no warning",
    "read: get by None": "None, not TypeError",
    "read: get by words": "get takes tags that are text",
    "read: trait_names": "all keywords",
    "set: a number as a UID": "no TypeError",
}
"""Where dicomcore still differs though it should not."""
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", params(SAME, FAULTS))
def test_as_in_pydicom(name):
    BOTH.check(name)
