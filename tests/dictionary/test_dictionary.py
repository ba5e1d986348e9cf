"""The dictionaries against their sources, entry by entry; and the generated tables against the generator's output."""

import importlib
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dicomcore import dictionary as ours
from dicomcore._native.base import dictionary as native

theirs = pytest.importorskip("pydicom.datadict")

ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT / "src/dicomcore/_native/base/tables"
LETTERS = {"US or SS": "xs", "OB or OW": "ox", "OB_OW": "ox", "US or OW": "xo", "US or SS or OW": "lt", "NONE": ""}

# PS3.6 Table 9-1
REAL_TIME_VIDEO = ("SQ", "1", "Current Frame Functional Groups Sequence", "", "CurrentFrameFunctionalGroupsSequence")

CODES = {  # name: (tag, two letters for the scanner)
    "element": (0x00100010, "PN"),
    "command element": (0x00000002, "UI"),
    "file meta element": (0x00020010, "UI"),
    "directory element": (0x00041220, "SQ"),
    "US or SS": (0x00280106, "xs"),
    "OB or OW": (0x7FE00010, "ox"),
    "US or OW": (0x00283006, "xo"),
    "US or SS or OW": (0x00281200, "lt"),
    "overlay data": (0x60023000, "ox"),
    "curve": (0x50FE0005, "US"),
    "variable pixel data": (0x7F020011, "US"),
    "source image": (0x00203145, "CS"),
    "coefficients": (0x002804A0, "US"),
    "escape triplet": (0x10000120, "US"),
    "zonal map": (0x10100001, "US"),
    "group length": (0x00100000, "UL"),
    "group length that looks like an escape triplet": (0x10000000, "UL"),
    "private group length": (0x00090000, "UL"),
    "private creator": (0x00090010, "LO"),
    "last private creator": (0x000900FF, "LO"),
    "before the private creators": (0x0009000F, ""),
    "private element": (0x00091010, ""),
    "private group among the overlays": (0x60013000, ""),
    "item": (0xFFFEE000, ""),
    "unknown": (0x00100011, ""),
}


def sample(mask, rng):
    """One tag that a mask with x nibbles stands for."""
    return int(re.sub("x", lambda _: rng.choice("0123456789ABCDEF"), mask), 16)


def answer(ask, *arguments):
    try:
        return ask(*arguments)
    except KeyError:
        return KeyError


ASKED = [
    "get_entry",
    "dictionary_VR",
    "dictionary_VM",
    "dictionary_description",
    "dictionary_keyword",
    "dictionary_is_retired",
    "dictionary_has_tag",
    "keyword_for_tag",
]


def assert_alike(tags):
    for name in ASKED:
        mine, reference = getattr(ours, name), getattr(theirs, name)
        for tag in tags:
            assert answer(mine, tag) == answer(reference, tag), f"{name}({tag:#010x})"


@pytest.mark.parametrize(("tag", "letters"), CODES.values(), ids=CODES)
def test_letters_for_the_scanner(tag, letters):
    assert native.vr_code(tag) == letters


def test_every_element():
    assert_alike(theirs.DicomDictionary)
    for tag, entry in theirs.DicomDictionary.items():
        assert native.vr_code(tag) == LETTERS.get(entry[0], entry[0])
        assert ours.repeater_has_tag(tag) == theirs.repeater_has_tag(tag)
        if entry[4]:  # pydicom gives the empty keyword a tag too, the last of the elements without one
            assert ours.tag_for_keyword(entry[4]) == tag


def test_the_element_that_pydicom_lacks():
    assert ours.get_entry(0x00060001) == REAL_TIME_VIDEO
    assert ours.tag_for_keyword(REAL_TIME_VIDEO[4]) == 0x00060001


def test_repeating_elements():
    rng = random.Random(7)
    tags = [sample(mask, rng) for mask in theirs.RepeatersDictionary for _ in range(20)]
    assert_alike(tags)
    for tag in tags:
        # pydicom accepts odd groups too, against its own documentation; they are private.
        assert ours.repeater_has_tag(tag) == (theirs.repeater_has_tag(tag) and not tag & 0x10000)


def test_repeating_keywords():
    for entry in theirs.RepeatersDictionary.values():
        assert ours.repeater_has_keyword(entry[4])
        assert ours.tag_for_keyword(entry[4]) is None
    for other in ("PatientName", "OverlayDat", "", None):
        assert not ours.repeater_has_keyword(other)


def test_tags_that_differ_from_known_ones_in_one_bit():
    rng = random.Random(8)
    assert_alike([tag ^ 1 << rng.randrange(32) for tag in theirs.DicomDictionary])
    assert_alike([rng.randrange(1 << 32) for _ in range(500)])


@pytest.mark.parametrize("form", [(0x10, 0x10), "PatientName", "00100010", [0x10, 0x10]], ids=repr)
def test_any_form_of_a_tag(form):
    assert ours.get_entry(form) == ("PN", "1", "Patient's Name", "", "PatientName")


@pytest.mark.parametrize(
    "keyword", ["", "patientname", "PatientNam", "PatientNames", "OverlayData", "é" * 9, "\ud800", None, 7]
)
def test_no_such_keyword(keyword):
    assert ours.tag_for_keyword(keyword) is None


def test_keywords_are_in_the_order_of_tags():
    named = [entry[4] for _, entry in sorted(theirs.DicomDictionary.items()) if entry[4]]
    assert [keyword for keyword in ours.keywords() if keyword != REAL_TIME_VIDEO[4]] == named


def test_has_tag_takes_anything():
    assert not ours.dictionary_has_tag("no keyword")
    assert not ours.dictionary_has_tag(-1)


def test_every_private_element():
    rng = random.Random(9)
    for creator, elements in theirs.private_dictionaries.items():
        for mask in elements:
            tag = sample(mask, rng)  # several masks may fit it
            expected = answer(theirs.get_private_entry, tag, creator)
            assert answer(ours.get_private_entry, tag, creator) == expected, f"{creator} {mask}"
            vr = "" if expected is KeyError else expected[0]
            assert (ours.private_vr(tag, creator) or "") == vr
            assert native.private_vr_code(tag, creator) == LETTERS.get(vr, vr)


def test_private_creators_are_not_elements():
    # The input lists (0019,10xx) of GE as "Private Element Creator": taken at its word, that would make every unknown
    # element of the block a text.
    assert ours.private_vr(0x001910FE, "GEMS_ACQU_01") is None


def test_private_names():
    tag, creator = 0x00191008, "SIEMENS MR HEADER"
    for name in (
        "private_dictionary_VR",
        "private_dictionary_VM",
        "private_dictionary_description",
        "get_private_entry",
    ):
        assert getattr(ours, name)(tag, creator) == getattr(theirs, name)(tag, creator)


@pytest.mark.parametrize(
    ("tag", "creator", "said"),
    [
        (0x00191008, "NOBODY", "private creator 'NOBODY'"),
        (0x00191008, "SIEMENS MR HEADER ", "private creator"),
        (0x00191008, None, "private creator None"),
        (0x001910FE, "SIEMENS MR HEADER", r"\(0019,10FE\)"),
    ],
)
def test_private_unknown(tag, creator, said):
    assert ours.private_vr(tag, creator) is None
    assert native.private_vr_code(tag, creator) == ""
    with pytest.raises(KeyError, match=said):
        ours.get_private_entry(tag, creator)


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    """Each table as the generator makes it, in a process of its own: pynetdicom adds UIDs to pydicom's dictionary where
    it is imported."""
    code = "import json, sys; from tools.make_tables import headers; json.dump(headers(), sys.stdout)"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    tables: dict[str, str] = json.loads(made.stdout)
    return tables


@pytest.mark.parametrize("name", ["dictionary.h", "private_dictionary.h", "uid_dictionary.h", "syntaxes.h", "vr.h"])
def test_tables_equal_the_generators_output(name, generated):
    text = (TABLES / name).read_text(encoding="ascii")
    made_from = re.search(r"Input: (?:pydicom (\S+),)?", text).group(1)
    installed = importlib.import_module("pydicom").__version__
    if made_from not in (None, installed):
        pytest.skip(f"the table was made from pydicom {made_from}; {installed} is installed, so it goes unchecked")
    assert generated[name] == text, f"{name}: run python tools/make_tables.py"
