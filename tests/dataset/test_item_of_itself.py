"""A data set that is an item of itself never ends: every function that walks its items raises an error."""

from __future__ import annotations

import pytest

import dicomcore as dc


def in_itself(between: int) -> dc.Dataset:
    top = dc.Dataset()
    top.PatientID = "x"
    at = top
    for _ in range(between):
        below = dc.Dataset()
        at.ReferencedImageSequence = [below]
        at = below
    at.ReferencedImageSequence = [dc.Dataset(), top, top]
    return top


WAYS = {
    "str": str,
    "repr": repr,
    "iterall": lambda ds: list(ds.iterall()),
    "walk": lambda ds: ds.walk(lambda data_set, element: None),
    "remove_private_tags": lambda ds: ds.remove_private_tags(),
    "validate": lambda ds: ds.validate(),
    "to_json": lambda ds: ds.to_json(),
    "to_xml": lambda ds: ds.to_xml(),
    "to_bytes": lambda ds: ds.to_bytes(enforce_standard=False),
    "to_pydicom": lambda ds: ds.to_pydicom(),
}


@pytest.mark.parametrize("between", [0, 3])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_data_set_inside_itself_raises(way, between):
    with pytest.raises(dc.EncodeError, match="itself"):
        way(in_itself(between))


def test_one_item_in_two_sequences_is_allowed():
    item = dc.Dataset()
    item.PatientID = "x"
    top = dc.Dataset()
    top.ReferencedImageSequence = [item, item]
    top.ReferencedStudySequence = [item]
    for way in WAYS.values():
        way(top)
    assert len(list(top.iterall())) == 5
