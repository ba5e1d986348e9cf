"""The conditions of the standard's tables: all classified, as committed, encoded, and beside the second source."""

import csv
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("pydicom.sr._snomed_dict")

from tests.support import dvtk_conditions
from tests.support.conditions import execute
from tools.standard.conditions import (
    Pool,
    comparison,
    decode_condition,
    encode,
    encode_condition,
    sources,
    tables,
    trees,
)
from tools.standard.conditions.reasons import REASONS
from tools.standard.conditions.tree import NO, YES, evaluate, leaves

needs_tables = pytest.mark.skipif(bool(sources.ABSENT), reason=sources.ABSENT)


def committed(name):
    with (tables.HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# Counts that must not shrink. Undecidable are what a data set cannot tell; open is what nobody has read.
COUNTS = {
    "coverage.csv": {"machine": 1756, "undecidable": 268},
    "usages.csv": {"machine": 241, "undecidable": 276},
}


@pytest.mark.parametrize(("name", "counts"), COUNTS.items())
def test_every_row_is_classified(name, counts):
    lines = committed(name)
    assert Counter(line["class"] for line in lines) == counts
    for line in lines:
        assert (line["class"] == "machine") == bool(line["parts"]), line
        assert line["source"] in ("parsed", "dicom3tools", "override"), line
        if line["class"] == "undecidable":
            assert line["reason"] in REASONS, line


def test_every_difference_is_explained():
    lines = committed("differences.csv")
    assert len(lines) == 101
    assert all(line["reason"] for line in lines)


@needs_tables
def test_all_conditional_rows_are_there():
    assert len(sources.rows()) == 2024
    assert Counter(usage.kind for usage in sources.usages()) == {"module": 327, "group": 190}


@needs_tables
@pytest.mark.parametrize("name", COUNTS)
def test_tables_are_as_made(name):
    made = tables.coverage() if name == "coverage.csv" else tables.usage_coverage()
    assert made == (tables.HERE / name).read_text(encoding="utf-8")


@needs_tables
def test_each_override_is_used():
    known = {(row.module, row.tag, row.number) for row in sources.rows()}
    usages = {(one.module, one.iod, one.kind) for one in sources.usages()}
    for entry in tables.overrides():
        if "kind" in entry:
            assert any(
                module == entry["module"] and kind == entry["kind"] and entry.get("iod", iod) == iod
                for module, iod, kind in usages
            ), entry
        else:
            assert any(
                module == entry["module"] and entry.get("tag", tag) == tag and entry.get("number", number) == number
                for module, tag, number in known
            ), entry
        assert entry["clause"].startswith("PS3.3 ")


@needs_tables
def test_frames_have_groups_of_their_own_where_frame_content_is_mandatory():
    """C.7.6.16: the macro is in every frame's groups, so that these are due in the IODs that it is mandatory in."""
    used, groups = sources.usage_rows()
    mandatory = {row[0] for row in groups if row[5] == "C.7.6.16-3" and row[3] == "M"}
    for module in ("C.7.6.16-1", "C.7.6.29-1"):
        iods = mandatory & {row[0] for row in used if row[5] == module}
        expected = {uid for uid, _, iod, _ in sources.load("iods")["sop_classes"] if iod in iods}
        ((_, condition),) = [(key, one) for key, one in trees().items() if key == (module, 2)]
        assert {uid for leaf in leaves(condition.required) if leaf[0] == "in" for uid in leaf[4]} == expected


@needs_tables
def test_code_of_all_conditions():
    pool, size, conditions = Pool(), 0, trees()
    for condition in conditions.values():
        data = encode_condition(condition, pool)
        assert decode_condition(data, pool) == condition
        size += len(data)
    assert len(conditions) == 1997
    assert size / len(conditions) < 11
    assert size + pool.size() < 33_000


@needs_tables
def test_each_condition_has_data_sets_on_both_sides():
    one_sided = []
    for key, condition in trees().items():
        values = set(comparison.values(condition.required))
        if condition.whole and condition.required != ("false",):
            told = {YES, NO} <= values
        else:
            told = any({YES, NO} & set(comparison.values(tree)) for tree in condition.trees())
        if not told:
            one_sided.append(key)
    assert one_sided == []


@needs_tables
def test_code_runs_as_the_tree():
    pool = Pool()
    for condition in trees().values():
        for tree in condition.trees():
            data = encode(tree, pool)

            def test(leaf):
                return hash(leaf) % 3

            assert execute(data, pool, test) == evaluate(tree, test)


@needs_tables
def test_second_source_agrees():
    results = list(comparison.compared())
    assert sum(one.agreed for one in results) / sum(one.decided for one in results) > 0.97
    assert tables.as_csv(comparison.COLUMNS, comparison.differences(results)) == (
        tables.HERE / "differences.csv"
    ).read_text(encoding="utf-8")


def is_edition(reason):
    """Whether a condition differs because the standard has changed since."""
    return reason.startswith("2010 ") or reason == "ours has the codes of today"


def agreement(results):
    return sum(one.agreed for one in results) / sum(one.decided for one in results)


@needs_tables
def test_third_opinion_is_of_an_older_edition():
    """DVTk's conditions are of 2010; each row that differs from ours is listed with the reason."""
    known = (Path(__file__).parent / "dvtk_differences.csv").read_text(encoding="utf-8")
    reasons = {(line["module"], line["row"]): line["reason"] for line in csv.DictReader(known.splitlines())}
    results = [
        comparison.compare(row, decision.condition.required, tree)
        for row, tree in dvtk_conditions.rows()
        if (decision := tables.row_decisions()[row.module, row.number]).condition is not None
    ]
    unlike = [(one.row.module, str(one.row.number)) for one in results if one.agreed != one.decided]
    assert unlike == list(reasons)
    assert all(reasons.values())
    changed = {key for key, reason in reasons.items() if is_edition(reason)}
    same = [one for one in results if (one.row.module, str(one.row.number)) not in changed]
    assert (len(results), len(same)) == (450, 424)
    assert agreement(results) > 0.96
    assert agreement(same) > 0.97
