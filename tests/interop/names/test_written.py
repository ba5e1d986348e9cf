"""What pydicom.filewriter writes of values that are settled late, under install() and with pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import Both

SETUP = """
import gc, io, tempfile, warnings
from pathlib import Path
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.fileset import FileSet
from pydicom.filewriter import correct_ambiguous_vr, correct_ambiguous_vr_element, write_data_element, write_dataset

def around(**elements):
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds

def settled(ds, little=True, ancestors=None):
    correct_ambiguous_vr(ds, little, ancestors)
    return [(str(e.tag), e.VR, e.value) for e in ds.iterall() if e.VR != "SQ"]

def written(ds, implicit=False, little=True):
    stream = io.BytesIO()
    ds.save_as(stream, implicit_vr=implicit, little_endian=little)
    return stream.getvalue()

def bare(action, implicit=False, little=True):
    stream = DicomBytesIO()
    if implicit is not None:
        stream.is_implicit_VR, stream.is_little_endian = implicit, little
    action(stream)
    return stream.getvalue()

def pixels(value, undefined):
    ds = around(BitsAllocated=8, PixelData=value)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = undefined
    return ds

def on_disk(size, position):
    stream = tempfile.TemporaryFile()
    stream.write(bytes(range(256)) * (size // 256))
    stream.seek(position)
    return stream

def copied_directory(**options):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a FileSet's own folder goes whenever it is collected
        FileSet(get_testdata_file("DICOMDIR")).copy(folder, **options)
        gc.collect()
        ds = pydicom.dcmread(Path(folder) / "DICOMDIR")
        records = ds.DirectoryRecordSequence
        first = records[0].seq_item_tell
        links = [record.OffsetOfTheNextDirectoryRecord or first for record in records]
        return ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity == first, [
            (record.seq_item_tell - first, link - first) for record, link in zip(records, links)
        ]

def updated(**options):
    ds = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    ds.update_raw_element("StudyID", **options)
    return ds["StudyID"].VR, ds["StudyID"].value
"""
SAME = {
    "US or SS by Pixel Representation 0": 'settled(around(PixelRepresentation=0, SmallestValidPixelValue=b"\\0\\xff"))',
    "US or SS by Pixel Representation 1": 'settled(around(PixelRepresentation=1, SmallestValidPixelValue=b"\\0\\xff"))',
    "in big endian": 'settled(around(PixelRepresentation=1, SmallestValidPixelValue=b"\\0\\xff"), False)',
    "US without pixel data": 'settled(around(SmallestValidPixelValue=b"\\0\\1"))',
    "pixel data without Pixel Representation": 'settled(around(LUTDescriptor=b"\\1\\0\\0\\0\\1\\0", PixelData=b"12"))',
    "of the data set around": "settled(around(SmallestValidPixelValue=b'\\0\\xff'), True,"
    " [around(), around(PixelRepresentation=1)])",
    "three numbers": 'settled(around(PixelRepresentation=0, LUTDescriptor=b"\\1\\0\\0\\1\\x10\\0"))',
    "LUT Data of one entry": 'settled(around(LUTDescriptor=[1, 0, 16], LUTData=b"\\0\\1"))',
    "LUT Data of several entries": 'settled(around(LUTDescriptor=[2, 0, 16], LUTData=b"\\0\\1\\0\\2"))',
    "in items": "settled(around(BeamSequence=[around(PixelRepresentation=1, SmallestValidPixelValue=b'\\0\\xff',"
    " BeamSequence=[around(LargestValidPixelValue=b'\\xff\\xff')])]))",
    "a raw element": 'correct_ambiguous_vr_element(RawDataElement(0x00280120, "US or SS", 2, b"\\xfe\\xff", 0, True,'
    " True), around(PixelRepresentation=0), True).value",
    "nothing to settle": 'correct_ambiguous_vr_element(DataElement(0x60003000, "OB", b"12"), Dataset(), True).VR',
    "a stream in memory": 'written(around(BitsAllocated=8, PixelData=io.BytesIO(b"1234")))',
    "a file from its position on": "written(around(BitsAllocated=8, PixelData=on_disk(100_096, 6)))",
    "a small file": "written(around(BitsAllocated=16, PixelData=on_disk(1024, 0)))",
    "a stream in an item": 'written(around(IconImageSequence=[around(BitsAllocated=8, PixelData=io.BytesIO(b"12"))]))',
    "a stream is written twice": "(lambda ds: [written(ds), written(ds)])(around(PixelData=io.BytesIO(b'1234'),"
    " BitsAllocated=8))",
    "a stream by itself": 'bare(lambda fp: write_data_element(fp, DataElement(0x7FE00010, "OB", io.BytesIO(b"12"))))',
    "a stream and its element": '(lambda e: (e.is_buffered, e.VM))(DataElement(0x7FE00010, "OB", io.BytesIO(b"12")))',
    "bytes are no stream": 'DataElement(0x7FE00010, "OB", b"12").is_buffered',
    "a stream of another VR": 'DataElement(0x00100020, "LO", io.BytesIO(b"12"))',
    "a closed stream": '(lambda s: (s.close(), DataElement(0x7FE00010, "OB", s)))(io.BytesIO(b"12"))',
    "encapsulated pixel data": "bare(lambda fp: write_dataset(fp, pixels(encapsulate([b'abcd']), True)))",
    "encapsulated pixel data by itself": "bare(lambda fp: write_data_element(fp, pixels(encapsulate([b'abcd']),"
    " True)['PixelData']))",
    "what was said to be encapsulated and isn't": "bare(lambda fp: write_data_element(fp, pixels(b'abcd',"
    " True)['PixelData']))",
    **{
        f"bare data set of {name}": f"bare(lambda fp: write_dataset(fp, pydicom.dcmread(get_testdata_file({name!r}))))"
        for name in ("JPEG2000.dcm", "MR_small_RLE.dcm", "SC_rgb_jpeg_dcmtk.dcm", "rtplan.dcm", "CT_small.dcm")
    },
    "a stream that states no encoding": "bare(lambda fp: write_dataset(fp,"
    " pydicom.dcmread(get_testdata_file('MR_small_implicit.dcm'))), implicit=None)",
    "neither states an encoding": "bare(lambda fp: write_dataset(fp, around(PatientName='x')), implicit=None)",
    "items know their offsets": "[record.seq_item_tell for record in"
    " pydicom.dcmread(get_testdata_file('DICOMDIR')).DirectoryRecordSequence]",
    "items of undefined length": "[item.is_undefined_length_sequence_item for name in ('DICOMDIR', 'rtplan.dcm',"
    " 'reportsi.dcm') for element in pydicom.dcmread(get_testdata_file(name)) if element.VR == 'SQ' for item in"
    " element.value]",
    "a slice that ends before tags begin": "Dataset()[:-5]",
    "a slice up to a keyword": "[str(e.tag) for e in around(PatientName='x', PatientID='1')[:'PatientID']]",
    "completion offers methods and keywords": "{'PatientName', 'save_as'} <="
    " set(around(PatientName='x').trait_names())",
    "a data set in memory has no offset": "Dataset().seq_item_tell",
    "a directory is copied": "copied_directory()",
    "a directory is copied in implicit VR": "copied_directory(force_implicit=True)",
    "an element is decoded by another VR": "updated(vr='SH')",
    "an element is decoded from other bytes": "updated(value=b'12 ')",
    "neither VR nor bytes": "updated()",
    "a VR that is none": "updated(vr='XX')",
    "text in place of bytes": "updated(value='12')",
    "an element that is not there": "Dataset().update_raw_element('StudyID', vr='SH')",
    "an element that was set": "around(StudyID='1').update_raw_element('StudyID', vr='SH')",
}
both = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_the_same(name):
    both.check(name)
