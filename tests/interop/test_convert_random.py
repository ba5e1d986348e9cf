"""Random data sets of every VR, nested and in every encoding: the bridge agrees with pydicom's own reading."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st

import dicomcore as dc
from dicomcore import encoding
from tests.support import dicom_bytes as raw
from tests.support.random_sets import data_sets

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("dicomcore.interop.pydicom.block")

CHARSET = 0x00080005
# The same examples each time; with another seed (--hypothesis-seed) they differ.
FEW = settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.thread_unsafe(reason="logging is the process's"),
]


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def described(data_set: Any) -> list[Any]:
    """Tag, VR and value of every element, as far as pydicom can decode it."""
    found: list[Any] = []
    for tag in sorted(data_set.keys()):
        try:
            element = data_set[tag]
            value = element.value
        except Exception as error:  # the same bytes have the same fault
            found.append((tag, type(error).__name__))
            continue
        if element.VR == "UN" and value == b"":  # what pydicom makes of an empty sequence with an unknown tag
            found.append((tag, "SQ", []))
        elif element.VR == "SQ":
            found.append((tag, "SQ", [described(item) for item in value]))
        else:
            found.append((tag, str(element.VR), repr(value) if isinstance(value, bytes) else str(value)))
    return found


def decoded(ours: list[Any], theirs: list[Any]) -> tuple[list[Any], list[Any]]:
    """Both without the elements that pydicom cannot decode, such as LUT Data without its descriptor."""
    faulty = {entry[0] for entry in theirs if len(entry) == 2}
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if b[0] not in faulty]
    for k, (a, b) in enumerate(pairs):
        if (a[2], b[2]) == ("None", ""):  # no value: a number whose bytes are cut off is "" in pydicom
            pairs[k] = a, (*b[:2], "None")
        if a[1] == b[1] == "SQ" and len(a[2]) == len(b[2]):
            items = [decoded(x, y) for x, y in zip(a[2], b[2], strict=True)]
            pairs[k] = (*a[:2], [x for x, _ in items]), (*b[:2], [y for _, y in items])
    return [a for a, _ in pairs], [b for _, b in pairs]


def in_unicode(made: dc.Dataset) -> dc.Dataset:
    made.pop(CHARSET, None)
    made.SpecificCharacterSet = "ISO_IR 192"
    return made


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Files of data sets that can be written: numbers of too many characters, and the like, can't."""
    syntax = draw(st.sampled_from([raw.IMPLICIT, raw.EXPLICIT, raw.BIG_ENDIAN, raw.DEFLATED]))
    try:
        return raw.part10(encoding.encode(in_unicode(draw(data_sets())), syntax), syntax)
    except dc.EncodeError:
        reject()


def of_pydicom(data: bytes, *, accessed: bool = False) -> Any:
    read = pydicom.dcmread(io.BytesIO(data))
    if accessed:
        described(read)
    return read


UNDEFINED_UL = raw.part10(raw.sequence(0x00080001, vr=None, undefined=True), raw.IMPLICIT)

EMPTY_LUT = raw.part10(
    encoding.encode(in_unicode(dc.Dataset({0x00283006: dc.DataElement(0x00283006, "OW", b"")})), raw.IMPLICIT),
    raw.IMPLICIT,
)


@FEW
@given(files())
@example(UNDEFINED_UL)  # a length that is undefined, where the dictionary has no sequence
def test_to_pydicom_equals_what_pydicom_reads(data: bytes):
    converted, theirs = dc.dcmread(data).to_pydicom(), of_pydicom(data)
    assert converted.original_encoding == theirs.original_encoding
    assert described(converted) == described(theirs)


@FEW
@given(files())
def test_there_and_back_keeps_every_byte(data: bytes):
    read = dc.dcmread(data)
    back = dc.from_pydicom(read.to_pydicom())
    assert described(back) == described(read)
    assert back.to_bytes(enforce_standard=False) == read.to_bytes(enforce_standard=False)


@FEW
@given(files())
def test_from_pydicom_keeps_every_byte(data: bytes):
    read = dc.dcmread(data)
    converted = dc.from_pydicom(of_pydicom(data))
    assert described(converted) == described(read)
    assert converted.to_bytes(enforce_standard=False) == read.to_bytes(enforce_standard=False)


@FEW
@given(files())
@example(EMPTY_LUT)
def test_what_pydicom_has_decoded_keeps_its_values(data: bytes):
    converted = dc.from_pydicom(of_pydicom(data, accessed=True))
    ours, theirs = decoded(described(converted.to_pydicom()), described(of_pydicom(data)))
    assert ours == theirs


@FEW
@given(files())
def test_pydicom_writes_what_was_converted_as_its_own(data: bytes):
    written = []
    for data_set in (dc.dcmread(data).to_pydicom(), of_pydicom(data)):
        stream = io.BytesIO()
        data_set.save_as(stream)
        written.append(stream.getvalue())
    assert written[0] == written[1]


@FEW
@given(data_sets())
def test_a_data_set_made_in_memory_comes_back(made: dc.Dataset):
    back = dc.from_pydicom(in_unicode(made).to_pydicom())
    assert described(back) == described(made)
