"""Elements whose value is elsewhere, and is fetched when it is first used."""

from __future__ import annotations

import copy
import pickle
import threading

import pytest

from dicomcore import DataElement, Dataset, dcmread
from dicomcore.dataset.state import Later, later_element, later_of, put

PIXELS, NAME = 0x7FE00010, 0x00100010


def made(value=b"\1\2\3\4", vr="OW", tag=PIXELS):
    """A data set with such an element, and the list of what was fetched."""
    fetched = []

    def fetch():
        fetched.append(1)
        return value

    ds = Dataset()
    ds.PatientID = "1"
    put(ds, later_element(tag, vr, Later("https://host/bulk/1", fetch)))
    return ds, fetched


USES = {  # name: what asks for the value
    "attribute": lambda ds: ds.PixelData,
    "element": lambda ds: ds[PIXELS].value,
    "get": lambda ds: ds.get("PixelData"),
    "multiplicity": lambda ds: ds[PIXELS].VM,
    "array": lambda ds: ds[PIXELS].array,
    "bytes of a file": lambda ds: ds.to_bytes(enforce_standard=False, transfer_syntax="1.2.840.10008.1.2.1"),
    "JSON": lambda ds: ds.to_json(),
    "comparison": lambda ds: ds == made()[0],
    "pickle": pickle.dumps,
    "into another data set": lambda ds: Dataset().add(ds[PIXELS]),
}
NO_USES = {
    "in": lambda ds: PIXELS in ds,
    "keys": lambda ds: ds.keys(),
    "length": len,
    "printing": str,
    "VR": lambda ds: (ds[PIXELS].VR, ds[PIXELS].keyword),
    "iteration": list,
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
    "walk": lambda ds: ds.walk(lambda data_set, element: None),
    "removal": lambda ds: ds.pop(PIXELS),
    "another value": lambda ds: setattr(ds, "PixelData", b"\0\0"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_value_is_fetched_once_when_it_is_used(use):
    ds, fetched = made()
    use(ds)
    use(ds)
    assert fetched == [1]
    assert ds.PixelData == b"\1\2\3\4"
    assert later_of(ds[PIXELS]) is None


@pytest.mark.parametrize("use", NO_USES.values(), ids=NO_USES)
def test_nothing_is_fetched_that_is_not_used(use):
    ds, fetched = made()
    use(ds)
    assert fetched == []


def test_printing_says_where_it_is():
    ds, _ = made()
    assert "at https://host/bulk/1" in str(ds)
    assert later_of(ds[PIXELS]).uri == "https://host/bulk/1"


def test_copies_fetch_for_themselves():
    ds, fetched = made()
    other = copy.deepcopy(ds)
    assert (other.PixelData, ds.PixelData, fetched) == (b"\1\2\3\4", b"\1\2\3\4", [1, 1])
    assert pickle.loads(pickle.dumps(ds)).PixelData == b"\1\2\3\4"


def test_what_is_saved_has_the_value(tmp_path):
    ds, _ = made()
    ds.BitsAllocated = 16
    ds.save_as(tmp_path / "a.dcm", enforce_standard=False, transfer_syntax="1.2.840.10008.1.2.1")
    assert dcmread(tmp_path / "a.dcm", force=True).PixelData == b"\1\2\3\4"


def test_a_fetch_that_fails_is_tried_again():
    answers = [OSError("gone"), b"\1\2"]

    def fetch():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    ds = Dataset()
    put(ds, later_element(PIXELS, "OW", Later("x", fetch)))
    with pytest.raises(OSError, match="gone"):
        _ = ds.PixelData
    assert ds.PixelData == b"\1\2"


def test_text_and_numbers_may_be_elsewhere():
    ds, _ = made("Doe^Jane", "UT", 0x00189004)
    assert ds[0x00189004].value == "Doe^Jane"
    element = later_element(0x00280010, "US", Later("x", lambda: 7))
    assert isinstance(element, DataElement)
    assert (element.value, element.VM) == (7, 1)


def test_threads_get_one_value():
    ds, fetched = made(bytes(1 << 16))
    got = []
    threads = [threading.Thread(target=lambda: got.append(ds.PixelData)) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len({id(value) for value in got}) == 1
    assert 1 <= len(fetched) <= 8
