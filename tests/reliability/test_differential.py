"""Every real file against independent answers: the corpus manifest, pydicom, and dcmdump where installed.

Where dicomcore is right and a peer is wrong, a table here names the file, what differs and why.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import pydicom
import pytest
from pydicom.multival import MultiValue

import dicomcore as dc
from tests.support.canonical import dumps, walked
from tests.support.corpus import ABSENT, Real, dicom_files
from tests.support.peers import DCMDUMP, paths_by_dcmdump, print_by_pydicom, read_by_pydicom

pytestmark = [pytest.mark.skipif(bool(ABSENT), reason=ABSENT), pytest.mark.filterwarnings("ignore::UserWarning")]

FILES = dicom_files()
EVERY = pytest.mark.parametrize("one", FILES, ids=[one.name for one in FILES])
FIELDS = ("elements", "top", "values_sha256", "bytes_sha256", "text_sha256")

GE_GROUP_LENGTHS = "files/dicom-test-files/dcmqi/segmentations/ct-3slice/01.dcm"
TOO_SHORT = "files/pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm"

# file: (fields of the manifest that differ, why dicomcore is right)
BETTER_THAN_MANIFEST = {
    GE_GROUP_LENGTHS: (
        {"top", "values_sha256"},
        "private group lengths in implicit VR are UL (PS3.5 7.2; DCMTK agrees), pydicom calls them UN",
    ),
    TOO_SHORT: (
        set(FIELDS),
        "breaks off inside a fragment: pydicom drops every element, dicomcore and DCMTK keep all 131",
    ),
}


def read(one: Real, **options: Any) -> dc.Dataset:
    return dc.dcmread(one.path, force=True, **options)


# ---- the manifest ------------------------------------------------------------------------------------------------


@EVERY
def test_manifest(one: Real):
    """Elements, VRs, lengths, value bytes and text as the manifest has them."""
    expected = one.line["parse"]
    unmet, _ = BETTER_THAN_MANIFEST.get(one.name, (set(), ""))
    found = dumps(read(one), dc.scan(one.path, force=True))
    for field in FIELDS:
        assert (found[field] == expected[field]) == (field not in unmet), field


@EVERY
def test_encoding_and_transfer_syntax(one: Real):
    data_set, line = read(one), one.line
    assert data_set.is_implicit_VR == line["encoding"]["implicit_vr"]
    assert data_set.is_little_endian == line["encoding"]["little_endian"]
    assert data_set.file_meta.get("TransferSyntaxUID") == line["transfer_syntax"]
    assert (data_set.preamble is not None) == line["is_part10"]


@EVERY
def test_memory_and_path_read_alike(one: Real):
    """Bytes in memory and a file read in blocks give the same rows."""
    assert dc.scan(one.data(), force=True).tobytes() == dc.scan(one.path, force=True).tobytes()


@EVERY
def test_before_pixels(one: Real):
    """stop_before_pixels leaves out pixel data and what follows, and nothing else."""
    whole = [(path, element.VR, element.length) for path, element in walked(read(one))]
    header = [(path, element.VR, element.length) for path, element in walked(read(one, stop_before_pixels=True))]
    first = next((i for i, (path, _, _) in enumerate(whole) if path[:4] == "7FE0" and path[4:] != "0000"), len(whole))
    assert header == whole[:first]


def test_truncated_elements_that_pydicom_drops_are_kept():
    one = next(one for one in FILES if one.name == TOO_SHORT)
    expected = one.line["parse"]["before_pixels"]
    found = dumps(read(one, stop_before_pixels=True))
    assert {field: found[field] for field in FIELDS} == {field: expected[field] for field in FIELDS}
    assert len(list(read(one).iterall())) == one.line["parse"]["disagree"]["dcmtk"]["elements"]


# ---- pydicom -----------------------------------------------------------------------------------------------------

# (file, tag): why the value differs from pydicom's
BETTER_THAN_PYDICOM = {
    (GE_GROUP_LENGTHS, 0x00090000): "a private group length is UL",
    (GE_GROUP_LENGTHS, 0x00190000): "a private group length is UL",
    (GE_GROUP_LENGTHS, 0x00210000): "a private group length is UL",
    (GE_GROUP_LENGTHS, 0x00450000): "a private group length is UL",
    ("files/pylibjpeg-data/ds/JPEGLossless/JPEGLossless_1s_1f_i_16_16_bad.dcm", 0x00101030): (
        "a DS of spaces alone is empty, so None as every empty DS; pydicom gives ''"
    ),
}


def plain(value: Any) -> Any:
    """A value without pydicom's or dicomcore's classes, lists kept."""
    if isinstance(value, (MultiValue, list)):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return "nan" if value != value else float(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (str, pydicom.valuerep.PersonName)):
        return str(value)
    return value


def differences(ours: dc.Dataset, theirs: pydicom.Dataset, name: str) -> Iterator[str]:
    """The differences of two data sets, item by item, without those that a table above explains."""
    pending = [("", ours, theirs)]
    while pending:
        path, a, b = pending.pop()
        if [int(x.tag) for x in a] != sorted(map(int, b.keys())):
            yield f"{path}: other tags"
            continue
        for x in a:
            tag = int(x.tag)
            y, here = b[tag], f"{path}{x.tag}"
            if (name, tag) in BETTER_THAN_PYDICOM:
                continue
            if (x.VR, x.is_undefined_length) != (y.VR, y.is_undefined_length):
                yield f"{here}: {x.VR}, {y.VR} in pydicom"
            elif x.VR == "SQ":
                if len(x.value) != len(y.value):
                    yield f"{here}: {len(x.value)} items, {len(y.value)} in pydicom"
                pending += [(f"{here}[{i}]", *pair) for i, pair in enumerate(zip(x.value, y.value, strict=False))]
            elif not x.is_undefined_length and plain(x.value) != plain(y.value):
                yield f"{here} {x.VR}: {x.value!r}, {y.value!r} in pydicom"
            elif x.VM != y.VM:
                yield f"{here} {x.VR}: VM {x.VM}, {y.VM} in pydicom"


@EVERY
def test_pydicom_reads_the_same(one: Real):
    if one.name == TOO_SHORT:
        pytest.skip(BETTER_THAN_MANIFEST[TOO_SHORT][1])
    ours, theirs = read(one), read_by_pydicom(one.path)
    assert list(differences(ours, theirs, one.name)) == []
    assert list(differences(ours.file_meta, theirs.file_meta, one.name)) == []
    assert ours.preamble == theirs.preamble


@EVERY
def test_raw_bytes_equal_pydicoms(one: Real):
    """el.raw holds what pydicom's raw elements hold."""
    if one.name == TOO_SHORT:
        pytest.skip(BETTER_THAN_MANIFEST[TOO_SHORT][1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pydicom.dcmread(one.path, force=True)
    for element in read(one):
        raw = theirs.get_item(element.tag)
        if isinstance(raw, pydicom.dataelem.RawDataElement) and not element.is_undefined_length:
            assert bytes(element.raw) == (raw.value or b""), element.tag


PRIVATE = re.compile(r"(?P<tag>\([0-9A-F]{3}[13579BDF],[0-9A-F]{4}\)) +.*?(?P<rest> [A-Z]{2}: .*| \d+ item\(s\).*)")


def without_private_names(line: str) -> str:
    """A line without a private element's name: pydicom 3.0 has none for private sequences in explicit VR, nor for
    creators in a group with a group length."""
    found = PRIVATE.search(line)
    return f"{found['tag']}{found['rest']}" if found else line


# Lines that print differently, and why; whole lines, ours and pydicom's.
PRINTS_OTHERWISE = {
    "files/pydicom-data/liver_deflate.dcm": "Deflated Image Frame Compression: a UID newer than pydicom's dictionary",
    "files/pydicom-data/liver_nonbyte_aligned_deflate.dcm": "the same UID",
    GE_GROUP_LENGTHS: "private group lengths are UL",
    "files/pylibjpeg-data/ds/JPEGLossless/JPEGLossless_1s_1f_i_16_16_bad.dcm": "a blank DS is None",
}


@EVERY
def test_prints_like_pydicom(one: Real):
    if one.name == TOO_SHORT:
        pytest.skip(BETTER_THAN_MANIFEST[TOO_SHORT][1])
    ours, theirs = str(read(one)).split("\n"), print_by_pydicom(one.path).split("\n")
    other = [(a, b) for a, b in zip(ours, theirs, strict=True) if without_private_names(a) != without_private_names(b)]
    assert bool(other) == (one.name in PRINTS_OTHERWISE), other


# ---- dcmdump -----------------------------------------------------------------------------------------------------

# Files whose structure DCMTK reads differently, and why dicomcore is right; pydicom agrees with it in each.
BETTER_THAN_DCMTK = {
    "test_files/SC_rgb_jpeg.dcm": "implicit VR under an explicit transfer syntax: DCMTK reads nonsense",
    "test_files/rtplan_truncated.dcm": "ends inside a nested sequence: DCMTK gives nothing",
    "test_files/rtdose_rle.dcm": "a UN of defined length that is a sequence by the dictionary: DCMTK gives its bytes",
}


@pytest.mark.skipif(DCMDUMP is None, reason="dcmdump is not installed")
@pytest.mark.parametrize("one", [one for one in FILES if one.line["size"] < 20_000][::2], ids=lambda one: one.name)
def test_dcmdump_sees_the_same_elements(one: Real):
    if one.name in BETTER_THAN_DCMTK:
        pytest.skip(BETTER_THAN_DCMTK[one.name])
    ours = [f"{path.count('[')}:{path[-8:]}" for path, _ in walked(read(one))]
    assert ours == paths_by_dcmdump(one.path)
