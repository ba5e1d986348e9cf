"""Integers at the ends of what their VR holds, written and read again."""

from __future__ import annotations

import pytest

import dicomcore as dc

WIDTHS = {"US": (0, 16), "SS": (1, 16), "UL": (0, 32), "SL": (1, 32), "UV": (0, 64), "SV": (1, 64)}


@pytest.mark.parametrize("vr", WIDTHS)
def test_the_ends_of_an_integer_range_survive(vr):
    signed, bits = WIDTHS[vr]
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    made = dc.Dataset()
    made.SOPClassUID = made.SOPInstanceUID = "1.2"
    made.validation = "ignore"  # setting would warn of values that writing refuses
    made.add_new(0x00091000, vr, [low, 1, high])
    assert dc.dcmread(made.to_bytes())[0x00091000].value == [low, 1, high]
    for outside in (low - 1, high + 1):
        made[0x00091000].value = [outside]
        with pytest.raises(dc.EncodeError, match="can't hold"):
            made.to_bytes()
