"""What validation says of a text, by VR (PS3.5 Table 6.2-1)."""

from __future__ import annotations

import pytest

from dicomcore.dataset.validation import fault_of

ARABIC = "\u0662\u0660\u0661\u0669"
"""Digits that Python's patterns take for digits, and the standard does not."""

FAULTY = {
    "AE in Latin-1": ("AE", "\xc4neas"),
    "AE in Cyrillic": ("AE", "\u0420\u0443\u0441"),
    "AE with a backslash": ("AE", "a\\b"),
    "AE with a control character": ("AE", "a\tb"),
    "AE of 17 characters": ("AE", "A" * 17),
    "UI of other digits": ("UI", f"1.{ARABIC}"),
    "UI with a leading zero": ("UI", "1.02"),
    "DA of other digits": ("DA", f"{ARABIC}0101"),
    "TM of other digits": ("TM", f"{ARABIC}"),
    "AS of other digits": ("AS", f"{ARABIC[:3]}Y"),
    "IS of other digits": ("IS", ARABIC),
    "DS of other digits": ("DS", ARABIC),
    "CS of other capitals": ("CS", "\xc4"),
    "UR in Latin-1": ("UR", "http://\xe4"),
    "UR with a quotation mark": ("UR", 'http://"x"'),
    "UR that begins with a space": ("UR", " http://x"),
}
RIGHT = {
    "AE": ("AE", "STORE-SCP_1 "),
    "UI": ("UI", "1.2.840.0.1"),
    "DA": ("DA", "20190101"),
    "AS": ("AS", "012Y"),
    "UR": ("UR", "http://x.org/a?b=c&d=%20#e "),
    "an empty UR": ("UR", ""),
    "LO in any characters": ("LO", "\u0420\u0443\u0441"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_fault(name):
    assert fault_of(*FAULTY[name])


@pytest.mark.parametrize("name", RIGHT)
def test_no_fault(name):
    assert fault_of(*RIGHT[name]) == ""
