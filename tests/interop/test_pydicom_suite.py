"""tools/dropin: outcomes from pytest's reports, lost tests under their reasons, and the counts that may not fall."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools.dropin import differences, junit, suite
from tools.dropin.differences import Reason

SUITE = """
import pytest

@pytest.fixture
def ending():
    yield
    raise RuntimeError("at the end")

class TestOne:
    @pytest.mark.parametrize("text", ["a.b", "a::b", "x[1]", "\\x1b"])
    def test_named(self, text): pass
    def test_fails(self): assert 1 == 2, "first\\nsecond"
    class TestInner:
        def test_inner(self): pass

def test_skips(): pytest.skip("no data")
@pytest.mark.xfail
def test_expected(): assert False
def test_ends_badly(ending): pass
def test_errs(nothing): pass
"""
OUTCOMES = {  # test: (state, what its message begins with)
    "TestOne::test_named[a.b]": (junit.PASSED, ""),
    "TestOne::test_named[a::b]": (junit.PASSED, ""),
    "TestOne::test_named[x[1]]": (junit.PASSED, ""),
    "TestOne::test_named[\\x1b]": (junit.PASSED, ""),
    "TestOne::test_fails": (junit.FAILED, "AssertionError: first"),
    "TestOne::TestInner::test_inner": (junit.PASSED, ""),
    "test_skips": (junit.SKIPPED, "no data"),
    "test_expected": (junit.SKIPPED, ""),
    "test_ends_badly": (junit.FAILED, 'failed on teardown with "RuntimeError: at the end"'),
    "test_errs": (junit.FAILED, "failed on setup"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of a run of SUITE, and of a file that cannot be collected."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "tests" / "pixels").mkdir(parents=True)
    for package in ("tests", "tests/pixels"):
        (folder / package / "__init__.py").touch()
    (folder / "tests" / "pixels" / "test_one.py").write_text(SUITE)
    (folder / "tests" / "test_two.py").write_text("import a_module_that_is_not_there\n")
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    subprocess.run([*pytest_, "--continue-on-collection-errors", "tests"], cwd=folder, check=False)
    return folder / "report.xml"


def test_outcomes_of_a_file(report):
    outcomes = junit.read(report, "tests/pixels/test_one.py")
    assert {test: outcome.state for test, outcome in outcomes.items()} == {t: s for t, (s, _) in OUTCOMES.items()}
    assert [t for t, (_, begins) in OUTCOMES.items() if not outcomes[t].message.startswith(begins)] == []
    assert junit.passed(outcomes) == [test for test, (state, _) in OUTCOMES.items() if state == junit.PASSED]


@pytest.mark.parametrize("file", ["tests/test_two.py", "tests/pixels/test_on.py", "tests/test_three.py"])
def test_a_file_that_was_not_collected_has_no_outcomes(report, file):
    assert junit.read(report, file) == {}


def test_a_report_that_is_not_there_has_no_outcomes(tmp_path):
    assert junit.read(tmp_path / "none.xml", "tests/test_two.py") == {}


PATTERNS = {  # name: (pattern, test, whether it names it)
    "itself": ("TestA::test_b", "TestA::test_b", True),
    "only a part": ("TestA::test_b", "TestA::test_bc", False),
    "a star": ("TestA::*", "TestA::test_b[1]", True),
    "a star for nothing": ("test_b*", "test_b", True),
    "two stars": ("*::test_b[*]", "TestA::test_b[1-2]", True),
    "brackets are text": ("test_b[12]", "test_b1", False),
    "brackets": ("test_b[12]", "test_b[12]", True),
    "a dot is text": ("test.b", "test_b", False),
    "a line's end": ("test_b[*]", "test_b[1\n2]", True),
}


@pytest.mark.parametrize(("pattern", "test", "named"), PATTERNS.values(), ids=PATTERNS)
def test_a_pattern_names_tests(pattern, test, named):
    assert differences.matches(pattern, test) is named


WITH_PYDICOM = {
    "test_a.py": {"test_1": "passed", "test_2": "passed", "test_3": "failed", "test_4": "passed"},
    "test_b.py": {"T::test_1": "passed", "T::test_2": "skipped"},
    "test_c.py": {"test_1": "passed"},
}
WITH_DICOMCORE = {
    "test_a.py": {"test_1": "passed", "test_2": "failed", "test_3": "passed", "test_4": "skipped"},
    "test_b.py": {"T::test_1": "passed", "T::test_2": "failed"},
}
LOST = [("test_a.py", "test_2"), ("test_a.py", "test_4"), ("test_c.py", "test_1")]
FIRST = Reason("first", "It is so.", {"test_a.py": ("test_2", "test_1"), "test_b.py": ("*",)})
SECOND = Reason("second", "It is otherwise.", {"test_a.py": ("test_*",)})


def test_only_tests_that_pydicom_passes_can_be_lost():
    found = differences.compare(WITH_PYDICOM, WITH_DICOMCORE)
    assert found.lost == LOST
    assert found.baseline == {"test_a.py": 3, "test_b.py": 1, "test_c.py": 1}
    assert found.both == {"test_a.py": 1, "test_b.py": 1, "test_c.py": 0}


def test_a_lost_test_belongs_to_the_first_reason_that_names_it():
    explained, unexplained = differences.sort(LOST, [FIRST, SECOND])
    assert explained == {"first": ["test_a.py::test_2"], "second": ["test_a.py::test_4"]}
    assert unexplained == ["test_c.py::test_1"]


def test_idle_patterns_are_those_of_the_files_that_ran():
    assert differences.idle(LOST, [FIRST, SECOND], ["test_a.py"]) == ["test_a.py::test_1"]
    assert differences.idle(LOST, [FIRST, SECOND], WITH_PYDICOM) == ["test_a.py::test_1", "test_b.py::*"]


COUNTS = {  # name: (counts, kept, files in which they fell)
    "the same": ({"test_a.py": 2}, {"test_a.py": 2}, []),
    "risen": ({"test_a.py": 3}, {"test_a.py": 2}, []),
    "fallen": ({"test_a.py": 1}, {"test_a.py": 2}, ["test_a.py"]),
    "fallen in one, risen in another": (
        {"test_a.py": 1, "test_b.py": 9},
        {"test_a.py": 2, "test_b.py": 1},
        ["test_a.py"],
    ),
    "a file that did not run": ({"test_a.py": 2}, {"test_a.py": 2, "test_b.py": 1}, []),
    "a new file": ({"test_a.py": 0}, {}, []),
}


@pytest.mark.parametrize(("counts", "kept", "files"), COUNTS.values(), ids=COUNTS)
def test_counts_fall_by_file(counts, kept, files):
    assert [line.partition(":")[0] for line in differences.fallen(counts, kept)] == files


def test_the_table_begins_with_the_most_tests():
    explained = {"first": ["a"], "second": ["b", "c"], "third": []}
    table = differences.table(explained, [FIRST, SECOND, Reason("third", "Never.", {})])
    assert table.splitlines()[2:] == ["| second | 2 | It is otherwise. |", "| first | 1 | It is so. |"]


def test_the_committed_reasons_are_whole():
    reasons = differences.load(suite.REASONS)
    names = [(file, pattern) for one in reasons for file, patterns in one.tests.items() for pattern in patterns]
    assert len(names) == len(set(names))
    assert [reason.name for reason in reasons if not reason.tests or not reason.why.endswith(".")] == []
