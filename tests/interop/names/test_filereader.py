"""pydicom.filereader under install(), against pydicom itself: options of reading, parts of files, and whole files."""

from __future__ import annotations

import pytest

from tests.interop.names.both import FILES, Both, params
from tests.support.corpus import PYDICOM

SETUP = (
    FILES
    + """
import contextlib, io, json, os, warnings
import pydicom
from pydicom import config, dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filebase import DicomBytesIO, DicomFileLike
from pydicom.filereader import *
from pydicom.filereader import read_file_meta_info, read_preamble, read_partial, read_dataset, data_element_generator
from pydicom.multival import MultiValue
from pydicom.tag import Tag
def data(name):
    return (FILES / name).read_bytes()
def stream(name):
    return io.BytesIO(data(name))
def bare(name):
    # the stream of a file, at its data set
    fp = stream(name)
    fp.seek(144 + int.from_bytes(fp.getvalue()[140:144], "little"))
    return fp
def tags(ds):
    return [str(e.tag) for e in ds]
def quiet(action):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return action()
def read(name):
    return quiet(lambda: dcmread(FILES.parent / name, force=True))
def plain(model):
    # JSON without group lengths, which PS3.18 F.2.2 excludes, and without what means the same: 1 and 1.0, "" and null
    if isinstance(model, dict):
        return {name: plain(model[name]) for name in sorted(model) if name[4:] != "0000" and model[name] != []}
    if isinstance(model, list):
        return [plain(one) for one in model]
    return float(model) if isinstance(model, (int, float)) else model or None
"""
)

READ = {
    "a path": "dcmread(FILES / 'CT_small.dcm').PatientID, dcmread(str(FILES / 'CT_small.dcm')).PatientID",
    "a stream": "dcmread(stream('CT_small.dcm')) == dcmread(FILES / 'CT_small.dcm')",
    "a file": "\nwith open(FILES / 'CT_small.dcm', 'rb') as fp:\n    ds = dcmread(fp)\nds.PatientID, ds.Rows,"
    " fp.closed",
    "a DicomBytesIO": "dcmread(DicomBytesIO(data('CT_small.dcm'))).PatientID",
    "a DicomFileLike": "dcmread(DicomFileLike(stream('CT_small.dcm'))).PatientID",
    "by the keyword fp": "dcmread(fp=FILES / 'CT_small.dcm').PatientID",
    "positional options": "dcmread(FILES / 'CT_small.dcm', None, True).PixelData",
    "no such file": "dcmread(FILES / 'nothing.dcm')",
    "a folder": "dcmread(FILES)",
    "None": "dcmread(None)",
    "empty text": "dcmread('')",
    "a number": "dcmread(5)",
    "an empty stream": "dcmread(io.BytesIO())",
    "an empty stream with force": "ds = dcmread(io.BytesIO(), force=True); len(ds), len(ds.file_meta), ds.preamble",
    "text": "dcmread(io.BytesIO(b'not a DICOM file, but text that is long enough' * 10))",
    "not DICOM": "dcmread(FILES / 'README.txt')",
    "the prefix alone": "dcmread(io.BytesIO(bytes(128) + b'DICM'))",
    "a file without File Meta Information": "dcmread(FILES / 'no_meta.dcm')",
    "the same with force": "ds = read('test_files/no_meta.dcm'); quiet(lambda: tags(ds)), len(ds.file_meta),"
    " ds.preamble, ds.original_encoding",
    "explicit without File Meta Information": "ds = dcmread(FILES / 'ExplVR_LitEndNoMeta.dcm', force=True); str(ds),"
    " ds.original_encoding",
    "big endian without File Meta Information": "ds = dcmread(FILES / 'ExplVR_BigEndNoMeta.dcm', force=True);"
    " str(ds), ds.original_encoding",
    "without a transfer syntax": "ds = dcmread(FILES / 'meta_missing_tsyntax.dcm', force=True); tags(ds),"
    " str(ds.file_meta)",
    "without a group length": "ds = dcmread(FILES / 'no_meta_group_length.dcm'); str(ds.file_meta), str(ds)",
    "deflated": "ds = dcmread(FILES / 'image_dfl.dcm'); str(ds), ds.file_meta.TransferSyntaxUID.is_deflated",
    "a truncated plan": "quiet(lambda: tags(dcmread(FILES / 'rtplan_truncated.dcm')))",
    "a truncated image": "ds = quiet(lambda: dcmread(FILES / 'MR_truncated.dcm')); tags(ds), len(ds.PixelData)",
    "UN that is a sequence": "str(dcmread(FILES / 'UN_sequence.dcm'))",
    "private sequences": "str(dcmread(FILES / 'priv_SQ.dcm'))",
    "an empty character set": "str(dcmread(FILES / 'empty_charset_LEI.dcm'))",
    "empty numbers": "str(dcmread(FILES / 'reportsi_with_empty_number_tags.dcm'))",
    "defer_size": "ds = dcmread(FILES / 'CT_small.dcm', defer_size=1024); len(ds.PixelData), ds == dcmread(FILES /"
    " 'CT_small.dcm')",
    "defer_size as text": "len(dcmread(FILES / 'CT_small.dcm', defer_size='1 KB').PixelData)",
    "defer_size of a sequence": "str(dcmread(FILES / 'rtplan.dcm', defer_size=16)) == str(dcmread(FILES /"
    " 'rtplan.dcm'))",
    "defer_size of nonsense": "dcmread(FILES / 'CT_small.dcm', defer_size='big')",
    "stop_before_pixels": "ds = dcmread(FILES / 'CT_small.dcm', stop_before_pixels=True); tags(ds), hasattr(ds,"
    " 'PixelData')",
    "stop_before_pixels of a stream": "s = stream('CT_small.dcm'); ds = dcmread(s, stop_before_pixels=True); s.tell(),"
    " len(ds)",
    "stop_before_pixels without pixels": "dcmread(FILES / 'rtplan.dcm', stop_before_pixels=True) == dcmread(FILES /"
    " 'rtplan.dcm')",
    "stop_before_pixels of encapsulated ones": "tags(dcmread(FILES / 'JPEG2000.dcm', stop_before_pixels=True))",
    "specific_tags": "tags(dcmread(FILES / 'CT_small.dcm', specific_tags=['PatientName', 0x00100020, (0x28, 0x10)]))",
    "specific_tags with a character set": "tags(dcmread(FILES / 'CT_small.dcm',"
    " specific_tags=['SpecificCharacterSet']))",
    "specific_tags of none": "tags(dcmread(FILES / 'CT_small.dcm', specific_tags=[]))",
    "specific_tags of tags": "tags(dcmread(FILES / 'CT_small.dcm', specific_tags=[Tag('Rows'),"
    " Tag('PatientComments')]))",
    "specific_tags of a sequence": "str(dcmread(FILES / 'rtplan.dcm', specific_tags=['BeamSequence']))",
    "specific_tags of File Meta Information": "ds = dcmread(FILES / 'CT_small.dcm',"
    " specific_tags=['TransferSyntaxUID']);"
    " tags(ds), len(ds.file_meta)",
    "specific_tags of no keyword": "dcmread(FILES / 'CT_small.dcm', specific_tags=['nothing'])",
    "specific_tags of big endian": "str(dcmread(FILES / 'MR_small_bigendian.dcm', specific_tags=['Rows',"
    " 'PatientName']))",
    "specific_tags without pixels": "tags(dcmread(FILES / 'CT_small.dcm', specific_tags=['Rows', 'PixelData'],"
    " stop_before_pixels=True))",
    "what is behind the data": "len(dcmread(io.BytesIO(data('CT_small.dcm') + bytes(4)), force=True))",
    "a preamble of text": "d = bytearray(data('CT_small.dcm')); d[:4] = b'II*\\0'; dcmread(io.BytesIO(d)).preamble[:4]",
    "a stream that is not at its start": "s = stream('CT_small.dcm'); s.seek(10); dcmread(s)",
    "the position afterwards": "s = stream('CT_small.dcm'); dcmread(s); s.tell() == len(s.getvalue())",
    "twice": "s = stream('CT_small.dcm'); a = dcmread(s); s.seek(0); a == dcmread(s)",
    "of a class": "type(dcmread(FILES / 'CT_small.dcm')).__name__, type(dcmread(FILES / 'no_meta.dcm',"
    " force=True)).__name__",
    "a DICOMDIR": "ds = dcmread(FILES / 'dicomdirtests' / 'DICOMDIR'); str(ds), type(ds).__name__",
    "what was caught": "\ntry:\n    dcmread(FILES / 'no_meta.dcm')\nexcept InvalidDicomError as error:\n    found ="
    " type(error).__name__\nfound",
    "a file that is deleted afterwards": """
        import shutil, tempfile
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(FILES / 'rtplan.dcm', folder)
            ds = dcmread(path)
            shown = str(ds)
        shown
        """,
}
PARTS = {
    "read_file_meta_info": "str(read_file_meta_info(FILES / 'CT_small.dcm')), type(read_file_meta_info(str(FILES /"
    " 'CT_small.dcm'))).__name__",
    "read_file_meta_info of no DICOM": "read_file_meta_info(FILES / 'README.txt')",
    "read_file_meta_info of others": "[str(read_file_meta_info(FILES / name)) for name in ('MR_small_bigendian.dcm',"
    " 'image_dfl.dcm', 'no_meta_group_length.dcm', 'JPEG2000.dcm')]",
    "_read_file_meta_info": "s = stream('CT_small.dcm'); s.seek(132); m = pydicom.filereader._read_file_meta_info(s);"
    " str(m), s.tell()",
    "read_preamble": "s = stream('CT_small.dcm'); read_preamble(s, False) == s.getvalue()[:128], s.tell()",
    "read_preamble without one": "read_preamble(stream('no_meta.dcm'), False)",
    "read_preamble without one, by force": "s = stream('no_meta.dcm'); read_preamble(s, True), s.tell()",
    "read_partial": "ds = read_partial(stream('CT_small.dcm')); ds == dcmread(FILES / 'CT_small.dcm'),"
    " type(ds).__name__",
    "read_partial up to a tag": "s = stream('CT_small.dcm'); ds = read_partial(s, lambda tag, VR, length:"
    " tag >= 0x00200000); tags(ds), s.tell()",
    "read_partial up to a VR": "s = stream('CT_small.dcm'); ds = read_partial(s, lambda tag, VR, length: VR == 'PN');"
    " tags(ds), s.tell()",
    "read_partial up to a length": "s = stream('CT_small.dcm'); ds = read_partial(s, lambda tag, VR, length: length >"
    " 500);"
    " tags(ds), s.tell()",
    "read_partial of implicit VR": "s = stream('rtplan.dcm'); seen = []; ds = read_partial(s, lambda tag, VR, length:"
    " seen.append((tag, VR, length)) or tag >= 0x00200000); tags(ds), s.tell(), seen",
    "read_partial of explicit VR": "s = stream('CT_small.dcm'); seen = []; ds = read_partial(s, lambda tag, VR, length:"
    " seen.append((tag, VR, length)) or tag >= 0x00200000); seen",
    "read_partial up to a sequence": "s = stream('rtplan.dcm'); ds = read_partial(s, lambda tag, VR, length:"
    " tag == 0x300A00B0); tags(ds), s.tell()",
    "read_partial of big endian": "s = stream('MR_small_bigendian.dcm'); ds = read_partial(s, lambda tag, VR, length:"
    " tag >= 0x00280000); tags(ds), s.tell()",
    "read_partial by force": "tags(read_partial(stream('no_meta.dcm'), lambda tag, VR, length: tag > 0x00080020,"
    " force=True))",
    "read_partial of specific tags": "tags(read_partial(stream('CT_small.dcm'), specific_tags=[Tag('Rows')]))",
    "read_dataset": "ds = read_dataset(bare('CT_small.dcm'), False, True); str(ds) == str(Dataset(dcmread(FILES /"
    " 'CT_small.dcm'))), type(ds).__name__, ds.original_encoding",
    "read_dataset of implicit VR": "str(read_dataset(bare('rtplan.dcm'), True, True))",
    "read_dataset of big endian": "str(read_dataset(bare('MR_small_bigendian.dcm'), False, False))",
    "read_dataset of a length": "s = bare('CT_small.dcm'); ds = read_dataset(s, False, True, 210); tags(ds), s.tell()",
    "read_dataset of a length of nothing": "ds = read_dataset(bare('CT_small.dcm'), False, True, 0); len(ds)",
    "read_dataset up to a tag": "s = bare('CT_small.dcm'); ds = read_dataset(s, False, True, stop_when=lambda tag, VR,"
    " length: tag >= 0x00100000); tags(ds), s.tell()",
    "read_dataset, offsets": "[e.file_tell for e in read_dataset(bare('CT_small.dcm'), False, True)]",
    "read_dataset of specific tags": "tags(read_dataset(bare('CT_small.dcm'), False, True,"
    " specific_tags=[Tag('Rows')]))",
    "read_dataset of another encoding": "tags(read_dataset(io.BytesIO(bytes.fromhex('0800200008000000')"
    " + b'20200101'), True, True))",
    "read_dataset of text in a parent's set": "read_dataset(io.BytesIO(b'\\x10\\0\\x10\\0PN\\4\\0\\xd0\\x9b  '),"
    " False, True,"
    " parent_encoding=['utf8']).PatientName",
    "read_dataset of nothing": "len(read_dataset(io.BytesIO(), True, True))",
    "read_dataset of a DicomBytesIO": "fp = DicomBytesIO(bytes.fromhex('2800100002000000') + b'\\1\\0');"
    " read_dataset(fp, True, True).Rows, fp.tell()",
    "data_element_generator": "[(e.tag, e.VR, e.length, e.value, e.value_tell, e.is_implicit_VR, e.is_little_endian)"
    " for e in data_element_generator(bare('CT_small.dcm'), False, True)]",
    "data_element_generator of implicit VR": "[(e.tag, e.VR) for e in data_element_generator(bare('rtplan.dcm'), True,"
    " True)]",
    "data_element_generator up to a tag": "[str(e.tag) for e in data_element_generator(bare('CT_small.dcm'), False,"
    " True,"
    " stop_when=lambda tag, VR, length: tag > 0x00100000)]",
    "data_element_generator of specific tags": "[str(e.tag) for e in data_element_generator(bare('CT_small.dcm'),"
    " False,"
    " True, specific_tags=[Tag('Rows')])]",
    "data_element_generator of nothing": "list(data_element_generator(io.BytesIO(), False, True))",
}
SHOWN = {
    "printed": "str(ds)",
    "tags, VRs and lengths": "[(e.tag, e.VR, e.VM, e.is_undefined_length) for e in ds.iterall()]",
    "File Meta Information": "str(getattr(ds, 'file_meta', None)), ds.preamble",
    "as JSON": "plain(json.loads(ds.to_json()))",
    "keywords": "ds.dir(), ds.top()",
    "encoding": "ds.original_encoding, ds.original_character_set",
    "offsets": "[(e.tag, e.file_tell) for e in ds]",
    "values": "[(e.tag, isinstance(e.value, (list, MultiValue)), e.value) for e in ds if e.VR not in ('SQ', 'UN')]",
}
NAMES = sorted(
    str(path.relative_to(PYDICOM))
    for folder in ("test_files", "charset_files")
    for path in (PYDICOM / folder).glob("*.dcm")
    if path.stat().st_size < 200_000
)
WHOLE = {
    f"{name}: {what}": f"ds = read({name!r}); quiet(lambda: ({expression},))"
    for name in NAMES
    for what, expression in SHOWN.items()
}
PRIVATE_NAMES = "pydicom calls the group lengths and unreserved elements of private groups Private Creator"
DIFFERENT = {
    "charset_files/chrJapMulti.dcm: printed": PRIVATE_NAMES,
    "charset_files/chrJapMulti.dcm: keywords": PRIVATE_NAMES,
    "charset_files/chrJapMultiExplicitIR6.dcm: printed": PRIVATE_NAMES,
    "charset_files/chrJapMultiExplicitIR6.dcm: keywords": PRIVATE_NAMES,
    "charset_files/chrKoreanMulti.dcm: printed": PRIVATE_NAMES,
    "charset_files/chrKoreanMulti.dcm: keywords": PRIVATE_NAMES,
    "test_files/meta_missing_tsyntax.dcm: printed": PRIVATE_NAMES,
    "test_files/meta_missing_tsyntax.dcm: keywords": PRIVATE_NAMES,
    "test_files/nested_priv_SQ.dcm: printed": PRIVATE_NAMES,
    "test_files/nested_priv_SQ.dcm: keywords": PRIVATE_NAMES,
    **{
        f"test_files/{name}: as JSON": "pydicom writes big-endian bytes into JSON, PS3.18 F.2.7 wants little endian"
        for name in (
            "ExplVR_BigEnd.dcm",
            "MR_small_bigendian.dcm",
            "MR_small_expb.dcm",
            "SC_rgb_small_odd_big_endian.dcm",
            "rtdose_expb.dcm",
            "rtdose_expb_1frame.dcm",
        )
    },
    "test_files/SC_rgb_jpeg.dcm: encoding": "labelled explicit but implicit: pydicom reports the label",
    "test_files/badVR.dcm: as JSON": "malformed numbers are written",
    "test_files/image_dfl.dcm: offsets": "pydicom counts in the inflated bytes",
}
"""Where dicomcore differs on purpose."""
TABLES = {"read": READ, "parts": PARTS, "whole": {n: case for n, case in WHOLE.items() if n not in DIFFERENT}}
SAME = {f"{table}: {name}": case for table, cases in TABLES.items() for name, case in cases.items()}
FAULTS = {
    "parts: data_element_generator": "sequences of defined length are not raw",
    "parts: data_element_generator of implicit VR": "sequences of defined length are not raw",
    "parts: read_dataset, offsets": "counted from the data set, not from the stream",
    "parts: read_partial of implicit VR": "stop_when gets the dictionary's VR",
    "read: defer_size of nonsense": "no ValueError",
    "whole: test_files/empty_charset_LEI.dcm: encoding": "original_character_set is no list",
}
"""Where dicomcore still differs though it should not."""
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", params(SAME, FAULTS))
def test_as_in_pydicom(name):
    BOTH.check(name)
