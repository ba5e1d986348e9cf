"""Context groups and codes: counts, membership beside pydicom's dictionaries, SRT and SCT."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from dicomcore import sr
from dicomcore._native.rules import contexts as tables
from dicomcore.sr import Code
from tools.standard.__main__ import TABLES, coded_headers
from tools.standard.place import folder

SOURCES = folder()
# Fewer rows than these mean that something was lost.
COUNTS = {"schemes": 22, "codes": 16695, "srt": 7990, "contexts": 1366, "members": 28266}


def test_tables_do_not_shrink():
    counts = tables.counts()
    assert {name: counts[name] for name in COUNTS} == COUNTS
    assert counts["bytes"] < 950_000


def test_members_are_those_of_pydicom():
    expected: dict[int, set[Code]] = {}
    for scheme, names in concepts.items():
        for values in names.values():
            for value, (_, numbers) in values.items():
                for number in numbers if value else ():
                    expected.setdefault(number, set()).add(Code(value, scheme))
    assert set(expected) == {number for number, names in cid_concepts.items() if names}
    for number, members in expected.items():
        group = sr.contexts[number]
        assert members <= set(group), number
        assert all(code in group for code in members), number
    for group in sr.contexts:
        assert all(code in group for code in group)
        assert len(group) == len(list(group))


def test_codes_outside_a_group_are_no_members():
    everything = [Code(*tables.code(number)[1::-1]) for number in range(0, tables.counts()["codes"], 37)]
    for number in (2, 29, 244, 4031, 7021):
        members = set(sr.contexts[number])
        assert [code for code in everything if code in sr.contexts[number]] == [c for c in everything if c in members]


def test_a_group_has_its_facts():
    group = sr.contexts[7021]
    assert (group.number, group.name, group.extensible) == (7021, "Measurement Report Document Title", True)
    assert sr.contexts[11].uid == "1.2.840.10008.6.1.9"
    assert Code("126000", "DCM") in group
    assert Code("126000", "SCT") not in group
    assert Code("", "") not in group
    assert Code("126000", "") not in group
    assert 7021 in sr.contexts
    assert 1 not in sr.contexts


def test_an_unknown_number_is_a_key_error():
    with pytest.raises(KeyError, match="no context group 1"):
        _ = sr.contexts[1]


@pytest.mark.parametrize("scheme", ["SRT", "SNM3", "99SDM"])
def test_retired_codes_match(scheme):
    right = Code("G-A100", scheme)
    assert right in sr.contexts[244]
    assert sr.codes.sct(right) == Code("24028007", "SCT")


def test_srt_and_sct_are_mapped_both_ways():
    for srt, sct in list(mapping["SRT"].items())[::13]:
        assert sr.codes.sct(Code(srt, "SRT")) == Code(sct, "SCT")
        assert sr.codes.srt(Code(sct, "SCT")) == Code(srt, "SRT")
    assert sr.codes.sct(Code("121071", "DCM")) is None
    assert sr.codes.srt(Code("121071", "DCM")) is None
    assert sr.codes.sct(Code("no", "SRT")) is None


def test_find_looks_at_names_and_meanings():
    found = sr.contexts.find("Liver")
    assert any("Liver" in match.group.name for match in found)
    assert all(match.codes or "liver" in match.group.name.lower() for match in found)
    assert Code("10200004", "SCT") in {code for match in found for code in match.codes}
    assert sr.contexts.find(" ") == []


def test_tables_are_loaded_when_they_are_used():
    code = (
        "import sys; from dicomcore import sr; name = 'dicomcore._native.rules.contexts';"
        "assert name not in sys.modules; sr.contexts[7021]; assert name in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(not (SOURCES / "cids.json").is_file(), reason="the standard's tables are not at hand")
def test_tables_are_up_to_date():
    for name, made in coded_headers(SOURCES).items():
        assert (TABLES / name).read_text(encoding="ascii") == made, name
