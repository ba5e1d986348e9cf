"""Lifetimes: a data set is freed with its last reference; elements, items and frames taken from it go on working."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw
from tests.support.corpus import real

PATIENT_ID = 0x00100020
USES: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda ds: None,
    "a value": lambda ds: ds.PatientID,
    "a list": lambda ds: ds.ImageType,
    "an element": lambda ds: ds["PatientID"],
    "an element that isn't there": lambda ds: "AcquisitionUID" in ds,
    "set": lambda ds: setattr(ds, "PatientID", "1"),
    "added": lambda ds: ds.add_new(0x00100021, "LO", "1"),
    "deleted": lambda ds: delattr(ds, "PatientID"),
    "all elements": lambda ds: [element.value for element in ds],
    "all elements, those of items too": lambda ds: [element.value for element in ds.iterall()],
    "all elements twice": lambda ds: [[element.value for element in ds.iterall()] for _ in range(2)],
    "items": lambda ds: [element.value for element in ds.OtherPatientIDsSequence[0]],
    "an item set": lambda ds: setattr(ds.OtherPatientIDsSequence[0], "PatientID", "1"),
    "walk": lambda ds: ds.walk(lambda data_set, element: element.value),
    "private elements": lambda ds: [element.name for element in ds if element.is_private],
    "private elements removed": lambda ds: ds.remove_private_tags(),
    "text": str,
    "file meta": lambda ds: ds.file_meta.MediaStorageSOPClassUID,
    "issues": lambda ds: ds.issues,
    "frames": lambda ds: ds.frames,
    "a frame": lambda ds: ds.frames[0],
    "pixel_array": lambda ds: ds.pixel_array,
    "pixels set": lambda ds: ds.set_pixels(ds.pixel_array),
    "rendered": lambda ds: ds.frames.render(0),
    "overlays": lambda ds: ds.frames.overlays,
    "written": lambda ds: ds.to_bytes(),
    "JSON": lambda ds: ds.to_json(),
    "XML": lambda ds: ds.to_xml(),
    "a copy": lambda ds: ds.copy(),
    "a deep copy": lambda ds: copy.deepcopy(ds),
    "a pickle": lambda ds: pickle.loads(pickle.dumps(ds)),
    "a slice": lambda ds: ds[0x00100000:0x00200000],
}


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("again", [lambda ds: ds, copy.copy, copy.deepcopy], ids=["read", "copied", "deeply copied"])
def test_no_data_set_waits_for_the_garbage_collector(use, again):
    """Millions of files in a loop: memory, mappings and open files are given back at once."""
    data_set = again(dc.dcmread(real("CT_small.dcm").read_bytes()))
    use(data_set)
    gone = weakref.ref(data_set)
    del data_set
    assert gone() is None


@pytest.mark.usefixtures("uncollected")
def test_no_data_set_made_in_memory_waits_for_it():
    data_set = dc.Dataset()
    data_set.PatientID = "1"
    data_set.OtherPatientIDsSequence = [{"PatientID": "2"}]
    item = weakref.ref(data_set.OtherPatientIDsSequence[0])
    data_set.to_bytes(enforce_standard=False)
    gone = weakref.ref(data_set)
    del data_set
    assert gone() is None
    assert item() is None


def private() -> bytes:
    return raw.part10(
        raw.element(0x00090010, "LO", b"GEMS_IDEN_01")
        + raw.element(0x00091001, "LO", b"GE_GENESIS_FF ")
        + raw.element(0x00100020, "LO", b"1")
        + raw.element(0x00180050, "DS", b"1\\2 ")
    )


def element_alone(tag: int, touched: bool) -> dc.DataElement:
    data_set = dc.dcmread(private())
    if touched:
        data_set.PatientID = "2"
    return data_set[tag]


@pytest.mark.parametrize("touched", [False, True])
def test_an_element_outlives_its_data_set(touched):
    element = element_alone(0x00091001, touched)
    assert (element.value, element.private_creator) == ("GE_GENESIS_FF", "GEMS_IDEN_01")
    assert element.name == "[Full fidelity]"
    assert bytes(element.raw) == b"GE_GENESIS_FF "
    several = element_alone(0x00180050, touched)
    several.value.append(3.0)
    assert several.value == [1.0, 2.0, 3.0]
    several.value = 4
    assert several.value == 4


def test_an_element_without_its_data_set_goes_into_another():
    for set_before in (False, True):
        other, element = dc.Dataset(), element_alone(PATIENT_ID, False)
        if set_before:
            element.value = "3"
        other[PATIENT_ID] = element
        other.PatientName = "A"
        read = dc.dcmread(other.to_bytes(enforce_standard=False), force=True)
        assert (read.PatientID, read.PatientName) == ("3" if set_before else "1", "A")


def test_an_element_of_an_item_is_copied_when_it_is_put_one_level_up():
    inside = raw.item(raw.element(PATIENT_ID, "LO", b"inside"))
    data_set = dc.dcmread(raw.part10(raw.sequence(0x00101002, inside)))
    for element in list(data_set.iterall()):
        if element.tag == PATIENT_ID:
            data_set[PATIENT_ID] = element
    assert data_set.PatientID == data_set.OtherPatientIDsSequence[0].PatientID == "inside"
    assert dc.dcmread(data_set.to_bytes(enforce_standard=False)).PatientID == "inside"


def test_items_outlive_their_data_set():
    items = dc.dcmread(real("CT_small.dcm")).OtherPatientIDsSequence
    items[0].PatientID = "other"
    assert [item.PatientID for item in items] == ["other", *(item.PatientID for item in items[1:])]
    item = dc.dcmread(real("CT_small.dcm")).OtherPatientIDsSequence[0]
    item["PatientID"].value = "third"
    assert item.PatientID == "third"


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_RLE.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm"])
@pytest.mark.parametrize("in_memory", [False, True])
def test_frames_outlive_their_data_set(name, in_memory):
    def read() -> dc.Dataset:
        data_set = dc.dcmread(real(name))
        return copy.deepcopy(data_set) if in_memory else data_set

    frames, data_set = read().frames, read()
    data_set.frames.array()
    assert (frames.array() == data_set.pixel_array).all()
    assert (frames.render(0) == data_set.frames.render(0)).all()
    assert frames.icc_profile == data_set.frames.icc_profile
    planes, expected = ([plane.array().tolist() for plane in one.overlays] for one in (frames, data_set.frames))
    assert planes == expected
    assert (pickle.loads(pickle.dumps(frames)).array() == data_set.pixel_array).all()


def test_frames_of_a_changed_data_set_outlive_it():
    def changed() -> dc.Dataset:
        data_set = dc.dcmread(real("CT_small.dcm"))
        data_set.set_pixels(np.arange(12, dtype=np.uint16).reshape(3, 4))
        data_set.ICCProfile = b"1234"
        return data_set

    frames = changed().frames
    assert frames.array().tolist() == np.arange(12).reshape(3, 4).tolist()
    assert frames.icc_profile == b"1234"
    assert frames.render(0).shape == (3, 4)


def test_frames_see_changes_while_their_data_set_exists():
    data_set = dc.dcmread(real("CT_small.dcm"))
    frames = data_set.frames
    data_set.ICCProfile = b"12"
    assert frames.icc_profile == b"12"
    assert data_set.frames is frames
