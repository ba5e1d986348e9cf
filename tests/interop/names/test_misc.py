"""pydicom.misc, pydicom.tag, pydicom.errors and pydicom's package under install(), against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import FILES, Both

SETUP = (
    FILES
    + """
import copy, pickle, warnings
import pydicom
from pydicom import errors, misc
from pydicom.misc import is_dicom, size_in_bytes
from pydicom.tag import *
from pydicom.tag import BaseTag, Tag, TupleTag
class Own(UserWarning):
    pass
"""
)
SAME = {
    "size_in_bytes": "[size_in_bytes(x) for x in (None, 5, 1.5, '5', '5 kb', '5kb', '5 KB', '1.5 MB', '2 GB', '1 KiB',"
    " '3 MiB', '2GiB', float('inf'))]",
    "size_in_bytes of nonsense": "size_in_bytes('big')",
    "size_in_bytes of another unit": "size_in_bytes('5 TB')",
    "size_in_bytes of nothing": "size_in_bytes('')",
    "size_in_bytes of a negative number": "size_in_bytes(-1), size_in_bytes('-1')",
    "is_dicom": "[is_dicom(FILES / n) for n in ('CT_small.dcm', 'no_meta.dcm', 'README.txt', 'zipMR.gz')]",
    "is_dicom of text": "is_dicom(str(FILES / 'CT_small.dcm'))",
    "is_dicom of a missing file": "is_dicom(FILES / 'nothing')",
    "is_dicom of a folder": "is_dicom(FILES)",
    "warn_and_log": "misc.warn_and_log('x')",
    "warn_and_log of a class": "\nwith warnings.catch_warnings(record=True) as caught:\n   "
    " warnings.simplefilter('always')\n"
    "    misc.warn_and_log('x', Own)\n[(str(w.message), w.category.__name__) for w in caught]",
    "errors raised": "\ntry:\n    raise errors.InvalidDicomError\nexcept Exception as error:\n    found ="
    " type(error).__name__\nfound",
    "errors with a text": "str(errors.InvalidDicomError('x')), str(errors.BytesLengthException('y'))",
    "Tag of numbers": "Tag(0x00100010), Tag(0x10, 0x20), Tag((0x10, 0x20)), Tag([0x10, 0x20]), Tag(0), Tag(0xFFFFFFFF)",
    "Tag of text": "Tag('PatientName'), Tag('00100010'), Tag('0x00100010'), Tag('0010', '0020'), Tag(('0010', '0020'))",
    "Tag of a tag": "Tag(Tag(8)), Tag(BaseTag(0x00100010))",
    "Tag of bare hexadecimals": "Tag('10'), Tag('7fe00010'), Tag('7FE00010')",
    "Tag of no keyword": "Tag('nothing')",
    "Tag of a large number": "Tag(0x100000000)",
    "Tag of a negative number": "Tag(-1)",
    "Tag of None": "Tag(None)",
    "Tag of three": "Tag((1, 2, 3))",
    "Tag of a large group": "Tag(0x10000, 1)",
    "Tag of a negative element": "Tag(1, -1)",
    "Tag of mixed kinds": "Tag('10', 16)",
    "Tag of text that is too long": "Tag('000100010')",
    "Tag printed": "str(Tag(0x7FE00010)), repr(Tag(0x7FE00010)), f'{Tag(8)}', '%08x' % Tag(0x7FE00010)",
    "Tag's parts": "t = Tag(0x00091001); t.group, t.element, t.elem, t.is_private, t.is_private_creator, hex(t)",
    "Tag of JSON": "Tag(0x7FE00010).json_key",
    "private creators": "[Tag(9, e).is_private_creator for e in (0, 1, 0x0F, 0x10, 0xFF, 0x100, 0x1001)],"
    " Tag(8, 0x10).is_private_creator",
    "Tags compared": "Tag(8) == 8, Tag(8) == Tag('00000008'), Tag(8) < Tag(9), Tag(8) < 7, Tag(0x00100010) == (0x10,"
    " 0x10),"
    " Tag(0x00100010) != (0x10, 0x20), Tag(8) == 'x', Tag(8) >= 8, (0x10, 0x10) == Tag(0x00100010)",
    "Tags compared with text": "Tag(0x00100010) == '00100010', Tag(0x00100010) == 'PatientName'",
    "Tag compared with None": "Tag(8) == None, Tag(8) != None",
    "Tag less than a text": "Tag(8) < 'nothing'",
    "Tag less than a tuple": "Tag(0x00100010) < (0x10, 0x20), Tag(0x00100010) > (0x10, 0x08)",
    "Tags hashed": "hash(Tag(8)) == hash(8), {Tag(8): 1}[8], len({Tag(8), 8})",
    "Tags copied": "copy.deepcopy(Tag(8)), pickle.loads(pickle.dumps(Tag(8))),"
    " type(pickle.loads(pickle.dumps(Tag(8)))) is"
    " type(Tag(8))",
    "Tags sorted": "sorted([Tag(9), Tag(8), Tag(0x00100010)])",
    "Tag's arithmetic": "Tag(8) + 1, Tag(0x00100010) >> 16, Tag(8) | 1",
    "kinds": "isinstance(Tag(8), int), isinstance(Tag(8), BaseTag), isinstance(BaseTag(8), BaseTag), isinstance(8,"
    " BaseTag)",
    "TupleTag": "TupleTag((0x10, 0x20)), TupleTag((0xFFFE, 0xE000))",
    "Known tags": "ItemTag, ItemDelimiterTag, SequenceDelimiterTag",
    "the package": "[hasattr(pydicom, n) for n in ('dcmread', 'dcmwrite', 'read_file', 'write_file', 'Dataset',"
    " 'FileDataset',"
    " 'DataElement', 'Sequence', 'pixel_array', 'iter_pixels', '__version__', 'config', 'uid', 'data', 'examples')]",
    "the package's names": "sorted(pydicom.__all__)",
    "the version": "pydicom.__version__, pydicom.__version_info__[:2], pydicom.__dicom_version__",
    "examples": "pydicom.examples.ct.PatientName, pydicom.examples.get_path('ct').name",
    "data": "pydicom.data.get_testdata_file('CT_small.dcm') == str(FILES / 'CT_small.dcm')",
    "data read": "pydicom.data.get_testdata_file('CT_small.dcm', read=True).PatientID",
    "a module that is none": "import pydicom.nothing",
    "a name that is none": "pydicom.nothing",
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)
