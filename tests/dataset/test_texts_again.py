"""Text that needs its character set, read again and again: kept decoded, and never out of date."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

import dicomcore as dc
from dicomcore.dictionary import add_private_dict_entry
from tests.support import dicom_bytes as raw

NAME, NAMES, INSTITUTION, COMMENTS = 0x00100010, 0x00101001, 0x00080080, 0x00204000


def coded() -> bytearray:
    """Names in Latin-1, in a data set and in an item that states UTF-8."""
    inner = raw.item(raw.element(0x00080005, "CS", b"ISO_IR 192") + raw.element(NAME, "PN", "Öz^C".encode() + b" "))
    return bytearray(
        raw.part10(
            raw.element(0x00080005, "CS", b"ISO_IR 100")
            + raw.element(INSTITUTION, "LO", b"H\xf4pital ")
            + raw.sequence(0x00081140, inner)
            + raw.element(0x00091001, "UN", b"\xe9\xe9")
            + raw.element(NAME, "PN", b"M\xfcller^A")
            + raw.element(NAMES, "PN", b"\xc4^B\\\xd6^C ")
            + raw.element(COMMENTS, "LT", b"\xfcber\\all")
        )
    )


def test_text_is_decoded_no_more_from_the_third_time_on():
    data_set = dc.dcmread(bytes(coded()))
    first, second, third = data_set.PatientName, data_set.PatientName, data_set[NAME].value
    assert first == second == third == "Müller^A"
    assert second is third
    assert type(third) is type(first)
    assert data_set.get("PatientName") is second
    assert data_set.copy().PatientName is second  # over the same bytes


def test_each_text_is_its_own_however_many_are_read():
    elements = b"".join(raw.element(0x00090010 + i, "LO", b"\xe4%03d" % i) for i in range(99))
    data_set = dc.dcmread(raw.part10(raw.element(0x00080005, "CS", b"ISO_IR 100") + elements))
    for _ in range(3):
        for i in range(99):
            for _ in range(3):
                assert data_set[0x00090010 + i].value == f"ä{i:03d}"


def test_lists_are_not_shared():
    data = bytes(coded())
    first, second = dc.dcmread(data), dc.dcmread(data)
    first.OtherPatientNames.append("D")
    assert first.OtherPatientNames == ["Ä^B", "Ö^C", "D"]
    assert second.OtherPatientNames == ["Ä^B", "Ö^C"]
    third = dc.dcmread(data)
    every = [next(e for e in third.iterall() if e.tag == NAMES).value for _ in range(3)]
    assert every[0] is not every[1] is not every[2]


def set_charset(data_set: Any) -> str:
    data_set.SpecificCharacterSet = "ISO_IR 192"
    return "Müller^A"  # what was read stays text


def set_value(data_set: Any) -> str:
    data_set.PatientName = "Çelik^D"
    return "Çelik^D"


def set_element(data_set: Any) -> str:
    data_set[NAME] = dc.DataElement(NAME, "PN", "Ñ^E")
    return "Ñ^E"


def set_vr(data_set: Any) -> str:
    data_set[NAME].VR = "LO"
    return "Müller^A"


def delete(data_set: Any) -> None:
    del data_set.PatientName


CHANGES: dict[str, Callable[[Any], str | None]] = {
    "Specific Character Set": set_charset,
    "value": set_value,
    "element": set_element,
    "VR": set_vr,
    "deleted": delete,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_change_is_overlooked(change):
    data_set = dc.dcmread(bytes(coded()))
    for _ in range(3):
        assert data_set.PatientName == data_set[NAME].value == "Müller^A"
    expected = change(data_set)
    for again in (data_set, data_set.copy(), copy.deepcopy(data_set), pickle.loads(pickle.dumps(data_set))):
        for _ in range(3):
            assert again.get("PatientName") == expected
            assert (again[NAME].value if NAME in again else None) == expected


def test_bytes_that_change_beneath_the_data_set_are_decoded_anew():
    data = coded()
    data_set = dc.dcmread(data)
    for _ in range(3):
        assert data_set.PatientName == "Müller^A"
    at = data.index(b"M\xfcller^A")
    data[at + 1] = 0xF6
    for _ in range(3):
        assert data_set.PatientName == "Möller^A"


def test_a_vr_that_a_dictionary_gains_later_counts():
    def value() -> Any:
        return next(element.value for element in data_set.iterall() if element.tag == 0x00111001)

    body = raw.element(0x00080005, "CS", b"ISO_IR 100") + raw.element(0x00110010, "LO", b"TEXTS AGAIN ")
    data_set = dc.dcmread(raw.part10(body + raw.element(0x00111001, "UN", b"\xe9^\xe9")))
    assert value() == b"\xe9^\xe9"
    for vr, expected in {"LO": "é^é", "PN": dc.PersonName("é^é"), "OB": b"\xe9^\xe9"}.items():
        add_private_dict_entry("TEXTS AGAIN", 0x00110001, vr, "Read Again")
        for _ in range(3):
            assert type(value()) is type(expected)
            assert value() == expected


def test_pixel_representation_changed_after_values_were_read():
    body = raw.element(0x00280103, None, b"\1\0") + raw.element(0x00280106, None, b"\xff\xff")
    data_set = dc.dcmread(raw.part10(body, raw.IMPLICIT))
    for _ in range(3):
        assert data_set.SmallestImagePixelValue == -1
    data_set.PixelRepresentation = 0
    for _ in range(3):
        assert data_set.SmallestImagePixelValue == -1  # as read, with the sign that the source states
    data_set.SmallestImagePixelValue = -5
    assert data_set.SmallestImagePixelValue == -5


def test_threads_read_the_same_texts():
    data_set = dc.dcmread(bytes(coded()))
    expected = {NAME: "Müller^A", INSTITUTION: "Hôpital", COMMENTS: "über\\all"}
    wrong: list[Any] = []

    def read() -> None:
        for _ in range(500):
            for tag, text in expected.items():
                if data_set[tag].value != text:
                    wrong.append((tag, data_set[tag].value))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
