"""A program's own dictionary entries. They hold for the whole process, so that each case runs in its own process."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

BEGIN = """
import threading
import dicomcore as dc
from dicomcore.dictionary import *
from tests.support.dicom_bytes import IMPLICIT, element, part10
import pydicom.datadict as theirs
def raises(kind, call, *args):
    try: call(*args)
    except kind as error: return str(error)
    raise AssertionError("did not raise")
"""
CASES = {
    "a public element": """
        for module in (theirs, __import__("dicomcore.dictionary").dictionary):
            module.add_dict_entry(0x10021001, "DS", "TestOne", "Test One")
            module.add_dict_entries({0x10021002: ("US", "1-n", "Test Two", "Retired", "TestTwo")})
            assert module.get_entry(0x10021001) == ("DS", "1", "Test One", "", "TestOne")
            assert module.dictionary_VM(0x10021002) == "1-n" and module.dictionary_is_retired(0x10021002)
            assert module.tag_for_keyword("TestTwo") == 0x10021002 and module.keyword_for_tag(0x10021001) == "TestOne"
            assert module.dictionary_has_tag(0x10021001)
        body = element(0x10021001, None, b"1.5\\\\2 ") + element(0x10021002, None, b"\\5\\0")
        ds = dc.dcmread(part10(body, IMPLICIT))
        assert (ds.TestOne, ds.TestTwo, ds[0x10021001].name) == ([1.5, 2.0], 5, "Test One")
        made = dc.Dataset()
        made.TestOne = 2.5
        assert made[0x10021001].VR == "DS" and "TestOne" in made and made.dir() == ["TestOne"]
        assert "TestTwo" in keywords()
    """,
    "a private element": """
        body = element(0x00110010, None, b"TEST ONE") + element(0x00111001, None, b"1.5\\\\2 ")
        assert dc.dcmread(part10(body, IMPLICIT))[0x00111001].VR == "UN"
        for module in (theirs, __import__("dicomcore.dictionary").dictionary):
            module.add_private_dict_entry("TEST ONE", 0x00110001, "DS", "Test One")
            module.add_private_dict_entries("TEST ONE", {0x0011FF02: ("US", "1-n", "Test Two", "")})
            assert module.get_private_entry(0x00111001, "TEST ONE") == ("DS", "1", "Test One", "")
            assert module.private_dictionary_VR(0x0011AA02, "TEST ONE") == "US"
        element_read = dc.dcmread(part10(body, IMPLICIT))[0x00111001]
        assert (element_read.VR, element_read.value, element_read.name) == ("DS", [1.5, 2.0], "[Test One]")
        untold = part10(element(0x00110010, "LO", b"TEST ONE") + element(0x00111002, "UN", b"\\5\\0"))
        assert dc.dcmread(untold)[0x00111002].value == 5
        made = dc.Dataset()
        made.add_new_private("TEST ONE", 0x0011, 0x01, "2")
        assert made[0x00111001].VR == "DS"
    """,
    "what may not be added": """
        assert "is private" in raises(ValueError, add_dict_entry, 0x00111001, "DS", "TestOne", "Test")
        assert "not private" in raises(ValueError, add_private_dict_entry, "ME", 0x00101001, "DS", "Test")
        assert "in the dictionary already" in raises(ValueError, add_dict_entry, 0x00100020, "DS", "TestOne", "Test")
        assert "(0010,0020) already" in raises(ValueError, add_dict_entry, 0x10021001, "DS", "PatientID", "Test")
        assert "is not a VR" in raises(ValueError, add_dict_entry, 0x10021001, "XX", "TestOne", "Test")
        assert "is not a VR" in raises(ValueError, add_private_dict_entry, "ME", 0x00111001, "XX", "Test")
        assert "keyword" in raises(ValueError, add_dict_entry, 0x10021001, "DS", "walk", "Test")
        known = get_private_entry(0x00091001, "GEMS_IDEN_01")
        assert "already" in raises(ValueError, add_private_dict_entry, "GEMS_IDEN_01", 0x00091001, "DS", "Test")
        add_private_dict_entry("GEMS_IDEN_01", 0x00091001, known[0], known[2], known[1])
        add_dict_entry(0x10021001, "DS", "TestOne", "Test")
        add_dict_entry(0x10021001, "US", "TestOne", "Test")
        assert dictionary_VR(0x10021001) == "US"
    """,
    "while others read": """
        file = part10(b"".join(element(0x10040000 + i, None, b"\\5\\0") for i in range(1, 200)), IMPLICIT)
        stop = threading.Event()
        def read():
            while not stop.is_set():
                assert {e.VR for e in dc.dcmread(file)} <= {"UN", "US"}
        readers = [threading.Thread(target=read) for _ in range(2)]
        for one in readers: one.start()
        for i in range(1, 200): add_dict_entry(0x10040000 + i, "US", f"Test{i}", f"Test {i}")
        stop.set()
        for one in readers: one.join()
        assert {e.VR for e in dc.dcmread(file)} == {"US"} and dc.dcmread(file).Test199 == 5
    """,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_own_entries(case, request):
    code = BEGIN + textwrap.dedent(case)
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=request.path.parents[2], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
