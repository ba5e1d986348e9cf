"""The templates of PS3.16: counts, what a row says, and the parts that were merged."""

from __future__ import annotations

from collections import Counter

import pytest

from dicomcore import sr
from dicomcore._native.rules import templates as tables
from dicomcore.sr import Code, template_views
from tests.support import standard
from tools.standard.contexts import read_vocabulary
from tools.standard.template_conditions import TABLE, coverage
from tools.standard.templates import read_templates

# Fewer rows than these mean that something was lost.
COUNTS = {"templates": 365, "rows": 3550}


def test_tables_do_not_shrink():
    counts = tables.counts()
    assert {name: counts[name] for name in COUNTS} == COUNTS
    assert counts["bytes"] < 200_000


def test_every_row_can_be_read():
    assert sum(len(template.rows) for template in sr.templates) == COUNTS["rows"]
    for template in sr.templates:
        assert template.rows[0].depth == 1
        for above, row in zip(template.rows, template.rows[1:], strict=False):
            assert row.depth <= above.depth + 1 or above.value_type == "INCLUDE", (template, row)
        for row in template.rows:
            assert not row.included or row.included in sr.templates
            assert row.requirement in ("M", "U") or row.condition or row.requirement in ("MC", "UC")
            assert row.most is None or row.least <= row.most


def test_a_template_of_2022():
    report = sr.templates[1500]
    assert (report.identifier, report.name, report.edition) == ("1500", "Measurement Report", "2022")
    root, language = report.rows[:2]
    assert root.concept.groups == (sr.contexts[7021],)
    assert (language.number, language.included, language.relationship) == ("2", "1204", "HAS CONCEPT MOD")
    measurement = sr.templates[300].rows[0]
    assert measurement.concept == template_views.Parameter("Measurement")
    assert (measurement.value_type, measurement.value) == ("NUM", template_views.Parameter("Units"))


def test_a_template_of_2016():
    echo = sr.templates[5202]
    assert echo.edition == "2016"
    assert echo.rows[1].concept == Code("363698007", "SCT")
    assert echo.rows[-1].included == "5203"
    assert echo.rows[-1].bindings == {"Measurement": template_views.Parameter("MeasType"), "Method": None}


def test_variants_have_letters():
    assert sr.templates["10003a"].rows
    assert 10003 in sr.templates
    assert "1400CN" in sr.templates
    with pytest.raises(KeyError, match="no template 9"):
        _ = sr.templates[9]


def test_find_looks_at_names():
    assert "1500" in {template.identifier for template in sr.templates.find("measurement report")}
    assert sr.templates.find("") == []


def test_templates_that_include_themselves():
    """The composite features and findings of mammography CAD; the checker's bound is tested with them."""
    found = set()
    for template in sr.templates:
        seen, pending = set(), [template.identifier]
        while pending:
            for row in sr.templates[pending.pop()].rows:
                if row.included and row.included not in seen:
                    seen.add(row.included)
                    pending.append(row.included)
        if template.identifier in seen:
            found.add(template.identifier)
    assert found == {"4004", "4006"}


@pytest.mark.skipif(bool(standard.ABSENT), reason=standard.ABSENT)
def test_conditions_are_read_or_have_a_reason():
    text = coverage(read_templates(standard.ROOT, read_vocabulary(standard.ROOT)), standard.ROOT)
    assert TABLE.read_text() == text, "python -m tools.standard.template_conditions"
    kinds = Counter(line.split(",")[3] for line in text.splitlines()[1:])
    assert (kinds["machine"], kinds["undecidable"], kinds["open"]) == (409, 141, 0)


def test_newer_rows():
    assert sr.templates[10030].edition == "2024"
    assert [row.included for row in sr.templates[10030].rows if row.value_type == "INCLUDE"] == ["1204", "1002", ""]
    assert sr.templates["10048"].rows[4].condition is not None
    maker = sr.templates["4019HasConceptMod"].rows[-1]
    assert (maker.number, maker.relationship, maker.concept.value) == ("5", "HAS CONCEPT MOD", "122405")
    assert sr.templates["4019"].edition == "2026"
    assert {one.edition for one in sr.templates} == set(template_views.EDITIONS)
