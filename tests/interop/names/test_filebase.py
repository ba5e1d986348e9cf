"""pydicom.filebase under install(), against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import FILES, Both

SETUP = (
    FILES
    + """
import io, tempfile
from pydicom import dcmread
from pydicom.filebase import *
from pydicom.filebase import DicomBytesIO, DicomFile, DicomFileLike, DicomIO
from pydicom.filewriter import dcmwrite
from pydicom.tag import Tag
def stream(data=b"", little=True):
    fp = DicomBytesIO(data)
    fp.is_little_endian = little
    return fp
class ReadOnly:
    def __init__(self, data):
        self.inner = io.BytesIO(data)
        self.read, self.seek, self.tell = self.inner.read, self.inner.seek, self.inner.tell
class WriteOnly:
    def __init__(self):
        self.inner = io.BytesIO()
        self.write, self.seek, self.tell = self.inner.write, self.inner.seek, self.inner.tell
class Slow(io.BytesIO):
    def read(self, size=-1):
        return super().read(min(size, 2))
"""
)
SAME = {
    "numbers read": r"fp = stream(b'\1\2\3\4\5\6'); fp.read_US(), fp.read_UL(), fp.tell()",
    "numbers read in big endian": r"fp = stream(b'\1\2\3\4\5\6', False); fp.read_US(), fp.read_UL()",
    "a tag read": r"stream(b'\x10\0\x20\0').read_tag(), stream(b'\0\x10\0\x20', False).read_tag()",
    "numbers written": "fp = stream(); fp.write_US(258), fp.write_UL(16909060), fp.write_tag(Tag(0x00100020)),"
    " fp.getvalue()",
    "numbers written in big endian": "fp = stream(little=False); fp.write_US(258); fp.write_UL(16909060);"
    " fp.write_tag(Tag(0x00100020)); fp.getvalue()",
    "a tag that is a number": "fp = stream(); fp.write_tag(0x00100020); fp.getvalue()",
    "a tag past the end": "stream(b'abc').read_tag()",
    "read_exact": "fp = stream(b'abcd'); fp.read_exact(3), fp.tell()",
    "read_exact of too much": "stream(b'abcd').read_exact(5)",
    "read_exact of nothing": "stream(b'abcd').read_exact(0)",
    "read_exact of a slow stream": "DicomIO(Slow(b'abcdef')).read_exact(5), DicomIO(Slow(b'abcdefgh')).read_exact(8)",
    "read_exact of a slow stream, tries": "DicomIO(Slow(b'abcdefghijkl')).read_exact(9)",
    "no byte order": "DicomBytesIO(b'ab').read_US()",
    "no byte order to write": "DicomBytesIO().write_US(1)",
    "is_little_endian unset": "DicomBytesIO().is_little_endian",
    "is_implicit_VR unset": "DicomBytesIO().is_implicit_VR",
    "is_implicit_VR set": "fp = DicomBytesIO(); fp.is_implicit_VR = True; fp.is_implicit_VR",
    "is_implicit_VR of a number": "fp = DicomBytesIO(); fp.is_implicit_VR = 1",
    "is_little_endian of None": "fp = DicomBytesIO(); fp.is_little_endian = None",
    "byte order changed": r"fp = stream(b'\1\2\1\2'); a = fp.read_US(); fp.is_little_endian = False; a, fp.read_US()",
    "read, seek and tell": "fp = stream(b'abcdef'); fp.read(2), fp.tell(), fp.seek(1), fp.read(), fp.seek(-1, 2),"
    " fp.read()",
    "write": "fp = stream(); fp.write(b'abc'), fp.write(bytearray(b'd')), fp.tell(), fp.getvalue()",
    "initial bytes": "DicomBytesIO(b'abc').read(), DicomBytesIO(bytearray(b'abc')).read(),"
    " DicomBytesIO(memoryview(b'a')).read()",
    "of a stream": "DicomBytesIO(io.BytesIO(b'abc'))",
    "of nothing": "DicomBytesIO().getvalue()",
    "parent": "type(DicomBytesIO().parent).__name__, type(DicomIO(io.BytesIO()).parent).__name__",
    "name": "DicomBytesIO().name, DicomIO(io.BytesIO()).name",
    "name of a file": "fp = DicomFile(FILES / 'CT_small.dcm', 'rb'); fp.name == str(FILES / 'CT_small.dcm'),"
    " fp.close()",
    "name set": "fp = DicomBytesIO(); fp.name = 'x'; fp.name",
    "of a file": "fp = DicomFile(str(FILES / 'CT_small.dcm'), 'rb'); fp.seek(128), fp.read(4), fp.close()",
    "of a missing file": "DicomFile(FILES / 'nothing', 'rb')",
    "as a context": "\nwith DicomFile(FILES / 'CT_small.dcm', 'rb') as fp:\n    head = fp.read(4)\nhead,"
    " fp.parent.closed",
    "close": "fp = stream(b'ab'); fp.close(); fp.parent.closed",
    "read after close": "fp = stream(b'ab'); fp.close(); fp.read()",
    "read alone": "fp = DicomIO(ReadOnly(b'abcd')); fp.read(2), fp.tell()",
    "read alone, written": "DicomIO(ReadOnly(b'abcd')).write(b'a')",
    "write alone": "w = WriteOnly(); fp = DicomIO(w); fp.write(b'ab'), w.inner.getvalue()",
    "write alone, read": "DicomIO(WriteOnly()).read()",
    "of a path": "DicomIO('a')",
    "of None": "DicomIO(None)",
    "of what cannot be sought": "DicomIO(type('R', (), {'read': lambda s: b''})())",
    "kinds": "isinstance(DicomBytesIO(), DicomIO), isinstance(DicomFileLike(io.BytesIO()), DicomIO),"
    " isinstance(DicomBytesIO(), DicomFileLike)",
    "dcmread of one": "dcmread(DicomFileLike(io.BytesIO((FILES / 'CT_small.dcm').read_bytes()))).PatientID",
    "dcmwrite to one": "fp = DicomBytesIO(); dcmwrite(fp, dcmread(FILES / 'CT_small.dcm')); fp.tell(),"
    " fp.getvalue() == (FILES / 'CT_small.dcm').read_bytes()",
    "a file of one": """
        with tempfile.TemporaryFile() as inner:
            fp = DicomFileLike(inner)
            fp.is_little_endian = True
            fp.write_UL(7)
            fp.seek(0)
            found = fp.read_UL()
        found
        """,
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)
