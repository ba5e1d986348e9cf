"""tools/dropin/programs.py: its table, what is lost between two runs, and the table of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.dropin import junit, programs
from tools.dropin.junit import FAILED, PASSED, SKIPPED, Outcome
from tools.dropin.programs import Program, Result

GOOD, BAD, SKIP = Outcome(PASSED), Outcome(FAILED, "TypeError: x"), Outcome(SKIPPED)
RUNS = {  # name: (with pydicom, with dicomcore, how many pass, lost, gained)
    "nothing lost": ({"a": GOOD}, {"a": GOOD}, 1, {}, []),
    "fails": ({"a": GOOD, "b": GOOD}, {"a": BAD, "b": GOOD}, 2, {"a": "TypeError: x"}, []),
    "not run": ({"a": GOOD}, {}, 1, {"a": "not run"}, []),
    "skipped": ({"a": GOOD}, {"a": SKIP}, 1, {"a": ""}, []),
    "failed with both": ({"a": BAD}, {"a": BAD}, 0, {}, []),
    "gained": ({"a": BAD}, {"a": GOOD}, 0, {}, ["a"]),
    "no report at all": ({}, {}, 0, {}, []),
}


@pytest.mark.parametrize(("before", "after", "passing", "lost", "gained"), RUNS.values(), ids=RUNS)
def test_lost_tests_are_found(before, after, passing, lost, gained):
    result = programs.compare("one", before, after, {})
    assert (result.passing, result.lost, result.gained) == (passing, lost, gained)


def test_the_table_names_pinned_programs():
    rows = programs.read_programs(programs.TABLE.read_text())
    assert len(rows) >= 20
    for row in rows.values():
        assert len(row.commit) == 40
        assert row.repository.count("/") == 1
        assert row.tests
        for test in row.tests:
            assert not test.startswith("drives/") or (programs.TABLE.parent / test).is_file()


def test_what_is_left_out_is_deselected():
    whole = Program("one", "a/one", "0" * 40, ["tests"])
    assert programs.chosen_tests(whole) == ["tests"]
    part = Program("one", "a/one", "0" * 40, ["tests"], left_out={"test_a": "network", "test_b": "random"})
    assert programs.chosen_tests(part) == ["tests", "-k", "not test_a and not test_b"]


def test_replacing_changes_the_sources_alone(tmp_path):
    (tmp_path / "a.py").write_bytes(b"import old  # \xe9\n")
    (tmp_path / "a.txt").write_text("import old\n")
    for _ in range(2):
        programs.replace(tmp_path, "import old", "import new")
    assert (tmp_path / "a.py").read_bytes() == b"import new  # \xe9\n"
    assert (tmp_path / "a.txt").read_text() == "import old\n"


def test_results_are_printed():
    result = Result("one", 3, {"a": "why"}, [], {"pydicom": 1.2, "dicomcore": 0.6})
    assert programs.line(result) == "one: 2 of 3 pass, 1 → 1 s"
    assert programs.table([result]).splitlines()[-1] == "| one | 3 | 2 | 1 → 1 |"


def test_a_report_of_several_files_is_read(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="t.a" name="x"/><testcase classname="t.b.T" name="x">'
        '<failure message="first&#10;second"/></testcase><testcase classname="t.c" name="y"/>'
        '<testcase classname="t.c" name="y"><error message="at the end"/></testcase></testsuite></testsuites>'
    )
    assert junit.read_all(report) == {
        "t.a::x": GOOD,
        "t.b.T::x": Outcome(FAILED, "first"),
        "t.c::y": Outcome(FAILED, "at the end"),
    }
    assert junit.read_all(Path(tmp_path / "absent.xml")) == {}
