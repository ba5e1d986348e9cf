"""Values set in memory are written by native code: as the façade's `attribute` says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.forms.attribute import attribute

VALUES: dict[str, tuple[str, Any]] = {
    "text": ("LO", "a"),
    "empty": ("LO", ""),
    "none": ("LO", None),
    "several": ("LO", ["a", "", None, "b"]),
    "a list of nothing": ("LO", [""]),
    "an empty list": ("LO", []),
    "escapes": ("LT", 'a"\\\n\t\x01\x7f/é\U0001f600'),
    "number in text": ("LO", 5),
    "name": ("PN", dc.PersonName("A^B")),
    "name groups": ("PN", dc.PersonName("A=\u5c71=c")),
    "second group alone": ("PN", dc.PersonName("=\u5c71")),
    "equals at the end": ("PN", dc.PersonName("A==")),
    "equals alone": ("PN", dc.PersonName("==")),
    "four groups": ("PN", dc.PersonName("a=b=c=d")),
    "names": ("PN", [dc.PersonName("A"), dc.PersonName("")]),
    "UID": ("UI", dc.UID("1.2")),
    "UIDs": ("UI", [dc.UID("1.2"), dc.UID("1.3")]),
    "DS": ("DS", [1.5, -0.0, 1e16, 1e15, 1e-5, 123456.0, 5e-324, 1.7976931348623157e308]),
    "DS of int": ("DS", 7),
    "DS text": ("DS", "abc"),
    "DS nan": ("DS", float("nan")),
    "IS": ("IS", [0, -7, 9007199254740991, 9007199254740992]),
    "IS float": ("IS", 5.0),
    "IS fraction": ("IS", 5.5),
    "IS huge": ("IS", 10**30),
    "US": ("US", [0, 65535]),
    "US true": ("US", True),
    "US float": ("US", 5.0),
    "UV": ("UV", [9007199254740991, 9007199254740992, 18446744073709551615]),
    "SV": ("SV", [-9007199254740991, -9007199254740992]),
    "FD": ("FD", [0.1, float("inf")]),
    "FD of int": ("FD", 3),
    "FL": ("FL", [0.5, 1e20]),
    "numbers among nothing": ("US", [1, None]),
    "array": ("FD", np.array([1.5, 2.5])),
    "AT": ("AT", [dc.Tag(0x00100010)]),
    "bytes": ("LO", b"a\xff"),
    "OB": ("OB", b"ab"),
}


@pytest.mark.parametrize(("vr", "value"), VALUES.values(), ids=VALUES)
def test_a_value_is_written_as_the_facade_writes_it(vr, value):
    element = dc.DataElement(0x00091001, vr, value)
    held = element.value
    data_set = dc.Dataset()
    data_set.validation = "ignore"
    data_set.add(element)
    try:
        expected = attribute(vr, held)
    except (ValueError, TypeError, OverflowError):
        with pytest.raises(dc.EncodeError):
            data_set.to_json()
        return
    text = json.dumps({"00091001": expected}, ensure_ascii=False, separators=(",", ":"))
    assert data_set.to_json() == text


def test_half_a_surrogate_pair_is_refused():
    data_set = dc.Dataset()
    data_set.validation = "ignore"
    data_set.PatientComments = "\ud83d"
    with pytest.raises(dc.EncodeError, match=r"\(0010,4000\) PatientComments"):
        data_set.to_json()
