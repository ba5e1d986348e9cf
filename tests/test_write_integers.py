"""Whole numbers at the ends of what their VRs hold, written and read again."""

from __future__ import annotations

import pytest

import dicomcore as dc

ENDS = {
    "US": (0, 2**16 - 1),
    "SS": (-(2**15), 2**15 - 1),
    "UL": (0, 2**32 - 1),
    "SL": (-(2**31), 2**31 - 1),
    "UV": (0, 2**64 - 1),
    "SV": (-(2**63), 2**63 - 1),
}


@pytest.mark.parametrize(("vr", "ends"), ENDS.items(), ids=ENDS)
def test_ends(vr, ends):
    ds = dc.Dataset()
    ds.add_new(0x00091001, vr, [*ends, 1])
    assert dc.dcmread(ds.to_bytes(enforce_standard=False), force=True)[0x00091001].value == [*ends, 1]
    for beyond in (ends[0] - 1, ends[1] + 1):
        ds.add_new(0x00091001, vr, beyond)
        with pytest.raises(dc.EncodeError, match="can't hold"):
            ds.to_bytes(enforce_standard=False)
