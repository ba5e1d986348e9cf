"""pydicom.filewriter under install(), against pydicom itself: what is written is compared byte for byte."""

from __future__ import annotations

import pytest

from tests.interop.names.both import FILES, Both, params
from tests.support.corpus import PYDICOM

SETUP = (
    FILES
    + """
import copy, io, os, tempfile, warnings
import pydicom
from pydicom import config, dcmread, dcmwrite
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO, DicomFileLike
from pydicom.filewriter import *
from pydicom.filewriter import write_data_element, write_dataset, write_file_meta_info
from pydicom.tag import Tag
from pydicom.uid import *
from pydicom.valuerep import DSfloat, IS, PersonName
def ct():
    return dcmread(FILES / "CT_small.dcm")
def around(**elements):
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds
def minimal(syntax=ExplicitVRLittleEndian, **elements):
    ds = around(SOPClassUID=CTImageStorage, SOPInstanceUID="1.2.3", **elements)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.ImplementationClassUID = "1.2.3.4"
    ds.file_meta.ImplementationVersionName = "TESTS"
    return ds
def saved(ds, *args, **options):
    stream = io.BytesIO()
    ds.save_as(stream, *args, **options)
    return stream.getvalue()
def stream(implicit=False, little=True):
    fp = DicomBytesIO()
    fp.is_implicit_VR, fp.is_little_endian = implicit, little
    return fp
def written(ds, implicit=False, little=True, **options):
    fp = stream(implicit, little)
    write_dataset(fp, ds, **options)
    return fp.getvalue()
def element(tag, vr, value, implicit=False, little=True, encodings=None):
    fp = stream(implicit, little)
    write_data_element(fp, DataElement(tag, vr, value), encodings)
    return fp.getvalue()
def quiet(action):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return action()
def everything():
    return around(PatientName="A^B", PatientID="1", PixelSpacing=["1.50", "2"], Rows=3, SeriesNumber="05",
        StudyDate="20200101", FrameIncrementPointer=0x00181063, ImageType=["A", "B", "C"], PatientComments="abc",
        EventElapsedTimes=[1, "2.5"], SOPClassUID="1.2", PixelData=b"abc", BitsAllocated=8, PixelRepresentation=0,
        ReferencedImageSequence=[around(ReferencedSOPInstanceUID="1.2"), around()], ContentSequence=[],
        RealWorldValueSlope=1.5, SmallestImagePixelValue=4)
"""
)

SAVE = {
    "as it is": "saved(ct()) == (FILES / 'CT_small.dcm').read_bytes(), saved(ct())[:400]",
    "a changed one": "ds = ct(); ds.PatientName = 'Ä^B'; ds.SliceThickness = 1.25; ds.Rows = 7; saved(ds)",
    "with an element less": "ds = ct(); del ds.PatientID; del ds.PixelData; saved(ds)",
    "with a private block more": "ds = ct(); ds.private_block(9, 'me', create=True).add_new(1, 'LO', 'x'); saved(ds)",
    "enforce_file_format": "saved(minimal(), enforce_file_format=True)",
    "enforce_file_format of a file": "saved(ct(), enforce_file_format=True)",
    "enforce_file_format without File Meta Information": "Dataset().save_as(io.BytesIO(), enforce_file_format=True)",
    "enforce_file_format without a class": "ds = minimal(); del ds.SOPClassUID; saved(ds, enforce_file_format=True)",
    "enforce_file_format without an instance": "ds = minimal(); del ds.SOPInstanceUID; saved(ds,"
    " enforce_file_format=True)",
    "enforce_file_format sets": "ds = minimal(); saved(ds, enforce_file_format=True); sorted(map(str,"
    " ds.file_meta.keys())),"
    " ds.file_meta.MediaStorageSOPInstanceUID",
    "write_like_original": "quiet(lambda: saved(minimal(), write_like_original=False))",
    "write_like_original, by position": "quiet(lambda: saved(minimal(), True))",
    "write_like_original twice": "quiet(lambda: saved(minimal(), True, write_like_original=False))",
    "no such option": "saved(minimal(), nothing=1)",
    "minimal": "saved(minimal())",
    "without File Meta Information": "ds = around(PatientID='x'); ds.save_as(io.BytesIO())",
    "the same with arguments": "saved(around(PatientID='x'), implicit_vr=True, little_endian=True),"
    " saved(around(PatientID='x'), implicit_vr=False, little_endian=True),"
    " saved(around(PatientID='x', Rows=3), implicit_vr=False, little_endian=False)",
    "implicit_vr alone": "saved(around(PatientID='x'), implicit_vr=True)",
    "little_endian alone": "saved(around(PatientID='x'), little_endian=True)",
    "implicit big endian": "saved(around(PatientID='x'), implicit_vr=True, little_endian=False)",
    "arguments that contradict": "saved(ct(), implicit_vr=True)",
    "arguments that agree": "saved(ct(), implicit_vr=False, little_endian=True) == saved(ct())",
    "little_endian that contradicts": "saved(ct(), little_endian=False)",
    "another transfer syntax": "ds = ct(); ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian; saved(ds)",
    "to deflated": "ds = ct(); ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian; b = saved(ds);"
    " dcmread(io.BytesIO(b)) == ds",
    "a private transfer syntax": "ds = minimal('1.2.3.4'); saved(ds)",
    "a private transfer syntax with arguments": "saved(minimal('1.2.3.4'), implicit_vr=True, little_endian=True)",
    "a UID that is no transfer syntax": "saved(minimal(CTImageStorage))",
    "is_implicit_VR set": "ds = around(PatientID='x'); quiet(lambda: (setattr(ds, 'is_implicit_VR', True),"
    " setattr(ds, 'is_little_endian', True))); quiet(lambda: saved(ds))",
    "in the encoding it was read in": "ds = dcmread(FILES / 'rtplan.dcm'); del ds.file_meta.TransferSyntaxUID;"
    " saved(ds)[:300]",
    "without a preamble": "ds = ct(); ds.preamble = None; saved(ds)[:8]",
    "with another preamble": "ds = ct(); ds.preamble = b'x' * 128; saved(ds)[:140]",
    "with a short preamble": "ds = ct(); ds.preamble = b'x'; saved(ds)",
    "a preamble alone": "ds = around(PatientID='x'); ds.preamble = bytes(128); saved(ds, implicit_vr=True)[128:]",
    "group 0": "ds = minimal(); ds.CommandField = 1; saved(ds)",
    "group 2": "ds = minimal(); ds.TransferSyntaxUID = '1.2'; saved(ds)",
    "overwrite": """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'a.dcm'
            minimal().save_as(path)
            minimal().save_as(path, overwrite=False)
        """,
    "a path": """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'a.dcm'
            minimal(PatientID='x').save_as(str(path))
            found = path.read_bytes(), os.listdir(folder), dcmread(path, force=True).PatientID
        found
        """,
    "onto its own file": """
        import shutil
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(FILES / 'CT_small.dcm', folder)
            ds = dcmread(path)
            ds.PatientID = 'x' * 30
            ds.save_as(path)
            found = dcmread(path) == ds, ds.PatientID, ds.Rows, len(ds.PixelData), os.path.getsize(path)
        found
        """,
    "a missing folder": "minimal().save_as('/nowhere/at/all.dcm')",
    "no target": "minimal().save_as(None)",
    "a file": """
        with tempfile.TemporaryFile() as fp:
            minimal().save_as(fp)
            size = fp.tell()
            fp.seek(0)
            found = size, dcmread(fp, force=True).SOPInstanceUID
        found
        """,
    "a DicomBytesIO": "fp = DicomBytesIO(); minimal().save_as(fp); fp.getvalue(), fp.tell()",
    "a DicomFileLike": "s = io.BytesIO(); dcmwrite(DicomFileLike(s), minimal()); s.getvalue()",
    "behind something": "s = io.BytesIO(b'head'); s.seek(4); minimal().save_as(s); s.getvalue()[:4], s.tell()",
    "dcmwrite": "s = io.BytesIO(); dcmwrite(s, minimal(PatientID='x')); s.getvalue()",
    "dcmwrite enforced": "s = io.BytesIO(); dcmwrite(s, minimal(), enforce_file_format=True); s.getvalue()",
    "dcmwrite with arguments": "s = io.BytesIO(); dcmwrite(s, around(PatientID='x'), implicit_vr=False,"
    " little_endian=True); s.getvalue()",
    "dcmwrite forced and enforced": "dcmwrite(io.BytesIO(), ct(), implicit_vr=True, little_endian=True,"
    " force_encoding=True,"
    " enforce_file_format=True)",
    "dcmwrite forced without arguments": "dcmwrite(io.BytesIO(), ct(), force_encoding=True)",
    "dcmwrite of an empty data set": "s = io.BytesIO(); dcmwrite(s, Dataset(), implicit_vr=True); s.getvalue()",
    "dcmwrite of no data set": "dcmwrite(io.BytesIO(), 'x')",
    "a FileDataset": "ds = FileDataset('a', around(PatientID='x'), file_meta=minimal().file_meta, preamble=bytes(128),"
    " is_implicit_VR=False); saved(ds)",
    "a FileDataset, enforced": "ds = FileDataset('a', {}, file_meta=minimal().file_meta, preamble=bytes(128));"
    " ds.SOPClassUID = '1.2'; ds.SOPInstanceUID = '1.3'; saved(ds, enforce_file_format=True)",
    "an item": "ds = dcmread(FILES / 'rtplan.dcm'); item = ds.BeamSequence[0]; item.file_meta = minimal().file_meta;"
    " saved(item)",
    "a part": "ds = ct().group_dataset(0x0028); saved(ds, implicit_vr=True)[-400:]",
    "pixel data without a transfer syntax": "ds = around(PixelData=b'ab', BitsAllocated=8, Rows=1);"
    " saved(ds, implicit_vr=False, little_endian=True)",
    "pixel data of 16 bits": "saved(minimal(PixelData=b'ab', BitsAllocated=16))",
    "pixel data of odd length": "saved(minimal(PixelData=b'abc', BitsAllocated=8))",
    "encapsulated pixel data": "ds = dcmread(FILES / 'JPEG2000.dcm'); saved(ds) == (FILES /"
    " 'JPEG2000.dcm').read_bytes()",
    "text in UTF-8": "saved(minimal(SpecificCharacterSet='ISO_IR 192', PatientName='山田^太郎'))",
    "text in two sets": "saved(minimal(SpecificCharacterSet=['', 'ISO 2022 IR 87'], PatientName='Yamada=山田^太郎'))",
    "File Meta Information changed": "ds = ct(); ds.file_meta.ImplementationVersionName = 'LONGER_THAN_IT';"
    " saved(ds)[:500]",
    "File Meta Information with a private element": "ds = minimal(); ds.file_meta.PrivateInformationCreatorUID = '1.2';"
    " ds.file_meta.PrivateInformation = b'abcd'; saved(ds)",
    "a wrong group length": "ds = minimal(); ds.file_meta.FileMetaInformationGroupLength = 3; saved(ds)",
}
ELEMENTS = {
    "of every kind, explicit": "written(everything())",
    "of every kind, implicit": "written(everything(), True)",
    "of every kind, big endian": "written(everything(), False, False)",
    "a data set of a file": "written(Dataset(ct()))",
    "a number returned": "fp = stream(); write_dataset(fp, around(PatientID='x'))",
    "without an encoding": "write_dataset(DicomBytesIO(), around(PatientID='x'))",
    "nothing": "written(Dataset())",
    "group 0": "written(around(CommandField=1, MessageID=2), True)",
    "group 2": "written(around(TransferSyntaxUID='1.2'))",
    "text in the parent's set": "quiet(lambda: (written(around(PatientName='Л'), parent_encoding='utf8'),"
    " written(around(PatientName='Л'), parent_encoding=['iso8859_5'])))",
    "text in its own set": "written(around(SpecificCharacterSet='ISO_IR 144', PatientName='Л'),"
    " parent_encoding='utf8')",
    "names in items": "written(around(SpecificCharacterSet='ISO_IR 192', ContentSequence=[around(PersonName='Л')]))",
    "text": "[quiet(lambda: element(0x00110020, vr, 'abc')) for vr in ('AE', 'AS', 'CS', 'DA', 'DT', 'LO', 'LT', 'PN',"
    " 'SH', 'ST', 'TM',"
    " 'UC', 'UI', 'UR', 'UT')]",
    "texts": "[quiet(lambda: element(0x00110020, vr, ['abc', 'd'])) for vr in ('AE', 'CS', 'DA', 'LO', 'PN', 'SH',"
    " 'UC', 'UI')]",
    "no text": "[element(0x00110020, vr, value) for vr in ('LO', 'PN', 'UI', 'DS', 'US', 'OB', 'SQ') for value in"
    " (None, [])]",
    "text in a set": "element(0x00110020, 'LO', 'Л', encodings=['iso8859_5']), element(0x00110020, 'PN', 'Л^=b',"
    " encodings=['utf8'])",
    "numbers": "[element(0x00110020, vr, 1) for vr in ('US', 'SS', 'UL', 'SL', 'UV', 'SV', 'FL', 'FD', 'IS', 'DS',"
    " 'AT')]",
    "several numbers": "[element(0x00110020, vr, [1, 2, 3]) for vr in ('US', 'SS', 'UL', 'SL', 'UV', 'SV', 'FL', 'FD',"
    " 'IS', 'AT')]",
    "numbers in big endian": "[element(0x00110020, vr, [1, 2], little=False) for vr in ('US', 'SS', 'UL', 'SL', 'UV',"
    " 'SV',"
    " 'FL', 'FD', 'IS', 'AT')]",
    "negative numbers": "[element(0x00110020, vr, -1) for vr in ('SS', 'SL', 'SV', 'FL', 'FD', 'IS', 'DS')]",
    "decimal text": "element(0x00110020, 'DS', '1.50'), element(0x00110020, 'DS', ['1.50', ' 2']), element(0x00110020,"
    " 'DS', DSfloat('1.500')), element(0x00110020, 'IS', '05')",
    "decimal numbers": "element(0x00110020, 'DS', 1.5), element(0x00110020, 'DS', 0.1)",
    "bytes": "[element(0x00110020, vr, b'abcdefgh') for vr in ('OB', 'OW', 'OD', 'OF', 'OL', 'OV', 'UN')]",
    "bytes in implicit VR": "[element(0x00110020, vr, b'abcdefgh', True) for vr in ('OB', 'OW', 'OD', 'OF', 'OL',"
    " 'OV', 'UN')]",
    "bytes of odd length": "element(0x00110020, 'OB', b'abc')",
    "tags": "element(0x00110020, 'AT', [0x00100010, (8, 5), Tag('Rows')]), element(0x00110020, 'AT', 8, little=False)",
    "a sequence": "element(0x00081140, 'SQ', [around(PatientID='x'), Dataset()]), element(0x00081140, 'SQ', [])",
    "a sequence in implicit VR": "element(0x00081140, 'SQ', [around(PatientID='x'), Dataset()], True)",
    "a sequence in big endian": "element(0x00081140, 'SQ', [around(PatientID='x', Rows=2)], False, False)",
    "a sequence of undefined length": "e = DataElement(0x00081140, 'SQ', [around(PatientID='x')]);"
    " e.is_undefined_length = True; fp = stream(); write_data_element(fp, e); fp.getvalue()",
    "an item of undefined length": "item = around(PatientID='x'); item.is_undefined_length_sequence_item = True;"
    " element(0x00081140, 'SQ', [item])",
    "long text": "element(0x00110020, 'UT', 'x' * 70000)[:20], element(0x00110020, 'UC', ['x', 'y'])",
    "text that is too long for the VR": "quiet(lambda: element(0x00110020, 'LO', 'x' * 70000))[:20]",
    "a raw element": r"fp = stream(); write_data_element(fp, RawDataElement(Tag(0x00110020), 'LO', 4, b'abcd', 0,"
    r" False, True));"
    " fp.getvalue()",
    "encapsulated pixel data": r"e = DataElement(0x7FE00010, 'OB',"
    r" b'\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\2\0\0\0ab');"
    " e.is_undefined_length = True; fp = stream(); write_data_element(fp, e); fp.getvalue()",
    "pixel data that is not encapsulated": "e = DataElement(0x7FE00010, 'OB', b'abcd'); e.is_undefined_length = True;"
    " fp = stream(); write_data_element(fp, e)",
    "dates": "import datetime; written(around(StudyDate=datetime.date(2020, 1, 2), StudyTime=datetime.time(1, 2)))",
}
META = {
    "whole": "fp = io.BytesIO(); m = minimal().file_meta; m.MediaStorageSOPClassUID = '1.2';"
    " m.MediaStorageSOPInstanceUID = '1.3'; write_file_meta_info(fp, m); fp.getvalue(),"
    " m.FileMetaInformationGroupLength",
    "too little": "write_file_meta_info(io.BytesIO(), FileMetaDataset())",
    "too little, not enforced": "fp = io.BytesIO(); write_file_meta_info(fp, minimal().file_meta, False);"
    " fp.getvalue()",
    "nothing, not enforced": "fp = io.BytesIO(); write_file_meta_info(fp, FileMetaDataset(), False); fp.getvalue()",
    "with a group length, not enforced": "fp = io.BytesIO(); m = minimal().file_meta; m.FileMetaInformationGroupLength"
    " = 1;"
    " write_file_meta_info(fp, m, False); fp.getvalue()",
    "other groups": "write_file_meta_info(io.BytesIO(), around(PatientID='x'), False)",
}
NAMES = sorted(
    str(path.relative_to(PYDICOM))
    for folder in ("test_files", "charset_files")
    for path in (PYDICOM / folder).glob("*.dcm")
    if path.stat().st_size < 200_000
)
WRITTEN = {
    "as it is": "quiet(lambda: saved(ds))",
    "decoded": "quiet(lambda: (ds.decode(), [e.value for e in ds.iterall()], saved(ds)))[2]",
}
WHOLE = {
    f"{name}, {how}": f"ds = quiet(lambda: dcmread(FILES.parent / {name!r}, force=True)); {expression}"
    for name in NAMES
    for how, expression in WRITTEN.items()
}
GROUP_LENGTHS = "group lengths are kept and counted anew"
BYTES = "an unchanged value keeps its bytes and its VR"
TRUNCATED = "a file that ends within a value is written as it is, with the lengths that it states"
BOTH_WAYS = ("as it is", "decoded")
DIFFERENT = {
    **{f"charset_files/{name}, decoded": BYTES for name in ("chrSQEncoding.dcm", "chrSQEncoding1.dcm")},
    **{f"charset_files/{name}, decoded": BYTES for name in ("chrX1.dcm", "chrX2.dcm")},
    **{f"test_files/{name}, decoded": BYTES for name in ("J2K_pixelrep_mismatch.dcm", "SC_rgb_gdcm_KY.dcm")},
    **{
        f"{name}, {how}": reason
        for name, reason in {
            "charset_files/chrJapMulti.dcm": GROUP_LENGTHS,
            "charset_files/chrJapMultiExplicitIR6.dcm": GROUP_LENGTHS,
            "charset_files/chrKoreanMulti.dcm": GROUP_LENGTHS,
            "test_files/693_J2KI.dcm": GROUP_LENGTHS,
            "test_files/ExplVR_BigEnd.dcm": GROUP_LENGTHS,
            "test_files/MR_truncated.dcm": TRUNCATED,
            "test_files/SC_rgb_jpeg.dcm": "labelled explicit but implicit: pydicom fails unless all is decoded",
            "test_files/UN_sequence.dcm": BYTES,
            "test_files/image_dfl.dcm": "bytes behind the deflated ones are kept",
            "test_files/no_meta.dcm": "a VR that is none is mended",
            "test_files/rtdose_rle.dcm": BYTES,
            "test_files/rtdose_rle_1frame.dcm": BYTES,
            "test_files/rtplan_truncated.dcm": TRUNCATED,
        }.items()
        for how in BOTH_WAYS
    },
}
"""Where dicomcore differs on purpose."""
TABLES = {
    "save": SAVE,
    "elements": ELEMENTS,
    "meta": META,
    "whole": {name: case for name, case in WHOLE.items() if name not in DIFFERENT},
}
SAME = {f"{table}: {name}": case for table, cases in TABLES.items() for name, case in cases.items()}
FAULTS = {
    "elements: a sequence of undefined length": "a length that was set to undefined is defined",
    "elements: an item of undefined length": "a length that was set to undefined is defined",
}
"""Where dicomcore still differs though it should not."""
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", params(SAME, FAULTS))
def test_as_in_pydicom(name):
    BOTH.check(name)
