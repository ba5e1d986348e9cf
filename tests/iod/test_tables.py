"""The native tables of PS3.3: generated again where their sources are at hand, counted, and looked through."""

from __future__ import annotations

import re

import pytest

from dicomcore._native.rules import tables
from tests.support import standard

# No table may shrink unnoticed: a change of these numbers needs a reason.
COUNTS = {
    "sop_classes": 184,
    "iods": 175,
    "usages": 3349 + 474,
    "modules": 674,
    "rows": 9004,
    "refinements": 220,
    "items": 51,
    "keywords": 62,
    "uses": 1149,
    "sets": 1221,
    "values": 4854,
    "conditions": 1264,
}
LIMIT = 600_000  # bytes of constant data

needs_sources = pytest.mark.skipif(bool(standard.ABSENT), reason=standard.ABSENT)


def test_counts():
    found = tables.counts()
    assert found.pop("bytes") <= LIMIT
    assert found == COUNTS


@pytest.fixture(scope="module")
def generated():
    pytest.importorskip("pydicom")
    from tools.standard.__main__ import headers

    return headers(standard.ROOT)


@needs_sources
@pytest.mark.parametrize("name", ["conditions.h", "iods.h", "modules.h", "text.h", "values.h"])
def test_tables_equal_the_generators_output(name, generated):
    from tools.standard.__main__ import TABLES

    assert {name for name in generated if "/" not in name} == {path.name for path in TABLES.glob("*.h")}
    assert generated[name] == (TABLES / name).read_text(encoding="ascii"), f"{name}: run python -m tools.standard"


@pytest.mark.parametrize("name", ["conditions.h", "iods.h", "modules.h", "text.h", "values.h"])
def test_a_table_says_what_it_holds(name):
    from tools.standard.__main__ import TABLES

    head = (TABLES / name).read_text(encoding="ascii").partition("*/")[0]
    assert re.search(r"Input: .*\((Apache-2\.0|MIT|BSD)\)", head)
    assert re.search(r"Holds \d+ ", head)


@needs_sources
def test_value_sets_without_a_place():
    """Those whose place PS3.3 2026b does not have, and those of the older source that does not say which it is. Most
    say that Number of Frames, which is no attribute of their IODs, is 1."""
    from tools.standard.build import build

    lost = build(standard.ROOT).lost
    assert sum(use.binding.edition == "2024-12" and use.path != ("00280008",) for use in lost) == 4
    assert sum(use.path == ("00280008",) for use in lost) == 17
    assert sum(use.binding.edition == "2016" for use in lost) == 14


@needs_sources
def test_an_override_that_changes_nothing_is_refused():
    from tools.standard.build import build
    from tools.standard.corrections import change

    modules = build(standard.ROOT).standard.modules
    with pytest.raises(AssertionError, match="nothing to change"):
        change(modules, {"module": "C.8-39", "row": 10}, type="1C")


def test_sop_classes_are_found_by_their_uids():
    listed = tables.sop_classes()
    assert listed == sorted(listed)
    assert [tables.find(uid) for uid, _ in listed] == list(range(len(listed)))


CT = "1.2.840.10008.5.1.4.1.1.2"
STRANGERS = ["", "1", CT + "\0", CT[:-2], CT + ".9", "9" * 255, "9" * 256, "9" * 100_000, "é", "\udcff"]


@pytest.mark.parametrize("uid", STRANGERS, ids=lambda uid: f"{ascii(uid)[-12:]}-{len(uid)}")
def test_other_uids_are_not_found(uid):
    assert tables.find(uid) == -1


@pytest.mark.parametrize("read", ["sop_class", "iod", "module", "rows", "items", "refinements", "use", "condition"])
@pytest.mark.parametrize("number", [-1, 1 << 30])
def test_a_row_that_is_not_there(read, number):
    with pytest.raises(IndexError, match=str(number)):
        getattr(tables, read)(number)


def test_rows_point_into_their_tables():
    counts = tables.counts()
    for number in range(counts["modules"]):
        depth = -1
        for at, tag, target, kind, items, first, count, condition in tables.rows(number):
            assert tag is None or 0 < tag < 1 << 32
            assert target is None or -1 <= target < counts["modules"]
            assert (tag is None) == (kind == "")
            assert items < counts["items"]
            assert first + count <= counts["uses"]
            assert condition <= counts["conditions"]
            # A row may stand one level deeper than the last; behind an include it may stand anywhere in it.
            assert at <= depth + 1 or depth == -1
            depth = at if tag is not None else 1 << 8
    for number in range(counts["uses"]):
        kind, value, values, edition, _, condition = tables.use(number)
        assert kind in "EDBTMZzNCc"
        assert 0 <= value < 10
        assert bool(values) == (kind not in "Zz")
        assert len(set(values)) == len(values) or kind == "N"
        assert edition in (0, 1, 2)
        assert condition <= counts["conditions"]


def test_an_attribute_has_one_value_set():
    """Its source has several variants of some tables, such as of an image and of its frames; they become one set."""
    for number in range(tables.counts()["modules"]):
        places = [row[5:7] for row in tables.rows(number)] + [one[2:4] for one in tables.refinements(number)]
        for first, count in places:
            uses = [tables.use(first + i) for i in range(count)]
            about = [value for kind, value, *_, conditional, _ in uses if kind in "EDBTM" and not conditional]
            assert len(about) == len(set(about)), tables.module(number)


def test_usages_point_into_their_tables():
    counts = tables.counts()
    for number in range(counts["sop_classes"]):
        _, usages, groups, refinements = tables.iod(number)
        assert all(path and first + count <= counts["uses"] for path, _, first, count, _ in refinements)
        assert usages
        for module, ie, usage, condition in usages + groups:
            assert module < counts["modules"]
            assert ie
            assert usage in "MCU"
            assert condition == 0 or usage == "C"
            assert condition <= counts["conditions"]


def test_includes_end():
    """A table that includes itself on the way stops there; the depth of the others is bounded."""

    def depth(number: int, entered: tuple[int, ...]) -> int:
        if number in entered:
            return len(entered)
        inside = [depth(row[2], (*entered, number)) for row in tables.rows(number) if row[2] not in (None, -1)]
        return max(inside, default=len(entered) + 1)

    assert max(depth(number, ()) for number in range(tables.counts()["modules"])) <= 12
