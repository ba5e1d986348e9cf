"""Templates of PS3.16 as native tables: those of 2022, and of 2016 those that are missing there.

The rows of 2022 have lost their parameters, the numbers of includes, and the relationships that an include gives. They
come from the row of 2016 in the same place. Includes of 2016 whose target was lost or is doubtful become open rows,
beside which nothing can be told of other content items. `_native/rules/template_rows.h` describes the rows.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.make_tables import Pool, numbers
from tools.standard.contexts import Vocabulary
from tools.standard.headers import braced, closing, counted, opening, text
from tools.standard.template_conditions import Conditions
from tools.standard.template_corrections import correct_templates, read_template_overrides
from tools.standard.template_rows import (
    BY_REFERENCE,
    EDITIONS,
    MAY_OTHERWISE,
    RELATIONSHIPS,
    REQUIREMENTS,
    VALUE_TYPES,
    Template,
    TemplateRow,
    read_vm,
)

SOURCE = (
    "templates of 2022-06 from PixelMed (BSD), of 2016 from vupeter/posdaJS (MIT); what is newer from"
    " template_overrides.toml"
)
OLDER = ("1607",)
"""Templates that are right in 2016 only: that of 2022 has gating in the place of the time of glucose's measurement."""
OPEN_ROWS = ("QualitativeEvaluations",)
"""Parameters whose rows the source of 2022 has left out, as they ask for nothing; without them items would be extra."""


class Reader:
    """Reads the rows of one edition, and gives the numbers of codes."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.codes: dict[tuple[str, str], int] = {}

    def code(self, scheme: str, value: str, meaning: str) -> list[Any]:
        return ["C", *self.vocabulary.add(scheme.strip(), value.strip(), meaning)]

    # -- 2022

    def row_2022(self, row: list[Any]) -> TemplateRow:
        depth, number, relationship, kind, concept, vm, requirement, condition, value, units, graphic, otherwise = row
        by_reference = kind.startswith("=")
        include = concept[1] if kind == "include" else ""
        return TemplateRow(
            depth,
            number or "",
            " ".join((relationship or "").split()),
            kind.lstrip("=").upper(),
            None if include else self.concept_2022(concept),
            read_vm(vm),
            requirement or "U",
            self.condition_2022(condition),
            self.concept_2022(value) or self.concept_2022(units) or (["G", *graphic] if graphic else None),
            include,
            (),
            BY_REFERENCE * by_reference + MAY_OTHERWISE * bool(otherwise),
        )

    def concept_2022(self, cell: Any) -> Any:
        if cell is None:
            return None
        if cell[0] != "CID":
            return self.code(*cell) if cell[0] else None
        known = [number for number in context_numbers(cell[1]) if number in self.vocabulary.contexts]
        if not known:
            return None  # a union that the source has made of codes
        return ["D" if len(cell) > 2 and cell[2] == "D" else "B", *known]

    def condition_2022(self, tree: Any) -> Any:
        if tree is None:
            return None
        if tree[0] in ("and", "or", "not"):
            return [tree[0], *map(self.condition_2022, tree[1:])]
        if tree[0] == "open":
            return ["open"]
        _, where, steps, operator, count = tree
        return ["count", where, [[one[0].upper(), *map(self.test, one[1:])] for one in steps], operator, count]

    def test(self, tree: Any) -> Any:
        if tree[0] in ("and", "or", "not"):
            return [tree[0], *map(self.test, tree[1:])]
        if tree[0] == "rel":
            return tree
        return [tree[0], self.code(tree[1], tree[2], "")]

    # -- 2016

    def row_2016(self, row: list[Any], templates: dict[str, Any], inside: str) -> TemplateRow:
        depth, number, relationship, kind, concept, vm, requirement, _, value = row
        relationship = relationship or ""
        kind = {"NUMERIC": "NUM"}.get(kind, kind)
        bindings: tuple[tuple[str, Any], ...] = ()
        include = ""
        if kind == "INCLUDE":
            bindings = self.bindings(value)
            include = sure_target(concept, dict(bindings), templates, inside)
            kind, concept, value = "INCLUDE" if include else "OPEN", None, None
        return TemplateRow(
            depth,
            str(number or ""),
            " ".join(relationship.removeprefix("R-").split()),
            kind,
            self.concept_2016(concept),
            read_vm(vm),
            {"C": "MC", None: "U"}.get(requirement, requirement),
            None,
            self.value_2016(value),
            include,
            bindings,
            BY_REFERENCE * relationship.startswith("R-"),
        )

    def bindings(self, value: Any) -> tuple[tuple[str, Any], ...]:
        if value is None:
            return ()
        parts = value[1:] if value[0] == "all" else [value]
        return tuple((one[0][1:], self.concept_2016(one[1])) for one in parts if str(one[0])[1:] and one[0][0] == "$")

    def concept_2016(self, cell: Any) -> Any:
        if cell is None:
            return None
        if cell[0] in ("EV", "DT"):
            return self.code(*cell[1:])
        if cell[0] in ("D", "B") and cell[1] == "CID":
            number = cell[2]
            return [cell[0], number] if isinstance(number, int) and number in self.vocabulary.contexts else None
        if cell[0] == "$":
            return ["$", cell[1]]
        if cell[0] == "or":
            parts = [self.concept_2016(part) for part in cell[1:]]
            return None if None in parts else ["|", *parts]
        return None

    def value_2016(self, cell: Any) -> Any:
        """The set of values or units; one that has several parts is not read."""
        if cell is None:
            return None
        return self.concept_2016(cell[1]) if cell[0] == "units" else self.concept_2016(cell)


def read_templates(sources: Path, vocabulary: Vocabulary) -> list[Template]:
    """All templates, sorted by number and variant."""
    old = json.loads((sources / "templates.json").read_text(encoding="utf-8"))["templates"]
    new = json.loads((sources / "templates_2022.json").read_text(encoding="utf-8"))["templates"]
    reader = Reader(vocabulary)
    older = {}
    for key, one in old.items():
        rows = [reader.row_2016(row, old, key) for row in one["rows"]]
        older[key] = Template(key.lower() if key.startswith("10003") else key, one["name"], "2016", rows)
    for key, one in old.items():
        conditions = Conditions(older[key].rows, reader.code, lambda name: next(iter(older[name].rows), None))
        older[key].rows = conditions.read([row[7] for row in one["rows"]])
    found = {template.key: template for template in older.values()}
    for key, one in new.items():
        rows = [reader.row_2022(row) for row in one["rows"]]
        same = older.get(number_of(key)) or older.get(key.upper())
        name = same.name if same else spaced(one["name"])
        if same and (not rows or key in OLDER):
            found[key] = replace(same, key=key)
            continue
        found[key] = Template(key, name, "2022", filled(rows, same.rows if same else []))
    correct_templates(found, reader, read_template_overrides())
    for template in found.values():
        template.rows = [chosen_by_user(row, found[row.include]) if row.include else row for row in template.rows]
    return sorted(found.values(), key=lambda template: (int(number_of(template.key)), template.key))


def filled(rows: list[TemplateRow], older: list[TemplateRow]) -> list[TemplateRow]:
    """Rows of 2022 with what those of 2016 say besides."""
    by_number = {row.number: row for row in older if row.value_type not in ("INCLUDE", "OPEN")}
    made = []
    for at, row in enumerate(rows):
        if row.include:
            made.append(filled_include(row, nth_include(rows, at), older))
            continue
        same = by_number.get(row.number)
        if same is None or same.value_type != row.value_type or same.depth != row.depth:
            made.append(row)
            continue
        concept = same.concept if row.concept is None and is_parameter(same.concept) else row.concept
        value = same.value if row.value is None and is_parameter(same.value) else row.value
        if concept and same.concept and concept[0] == "B" == same.concept[0].replace("D", "B"):
            concept = [same.concept[0], *concept[1:]]  # 2022 does not tell which
        flags = row.flags | same.flags & MAY_OTHERWISE
        relationship = row.relationship or same.relationship
        row = replace(row, concept=concept, value=value, relationship=relationship, flags=flags)
        made.append(with_condition(row, same))
    return made + [row for row in older if row.concept and row.concept[0] == "$" and row.concept[1] in OPEN_ROWS]


def with_condition(row: TemplateRow, older: TemplateRow) -> TemplateRow:
    """The condition of 2016, if it can be decided, for a row that the source of 2022 asks nothing of."""
    decided = older.condition is not None and "open" not in json.dumps(older.condition)
    if row.requirement != "U" or not decided:
        return row
    return replace(row, requirement=older.requirement, condition=older.condition)


def chosen_by_user(row: TemplateRow, target: Template) -> TemplateRow:
    """The source chooses among some includes by what their items contain; the standard leaves that to the user."""
    root = target.rows[0] if target.rows else None
    if row.requirement == "UC" and root and root.concept and root.value_type == "CONTAINER":
        step = json.dumps([root.value_type, ["concept", root.concept]])
        if step in json.dumps(row.condition):
            return replace(row, requirement="U", condition=None)
    return row


def filled_include(row: TemplateRow, count: tuple[int, int], older: list[TemplateRow]) -> TemplateRow:
    """An include with the number, relationship and bindings that it has in 2016, if it is there as often."""
    same = [one for one in older if one.include and number_of(one.include) == number_of(row.include)]
    if len(same) != count[1] or same[count[0]].depth != row.depth:
        return replace(row, flags=row.flags | MAY_OTHERWISE)  # 2022 does not tell IF from IFF
    one = same[count[0]]
    row = with_condition(replace(row, flags=row.flags | one.flags & MAY_OTHERWISE), one)
    if one.requirement == "U":  # the source chooses by conditions among includes that the user may choose from
        row = replace(row, requirement="U", condition=None)
    return replace(row, number=one.number, relationship=row.relationship or one.relationship, bindings=one.bindings)


def nth_include(rows: list[TemplateRow], at: int) -> tuple[int, int]:
    """Which of the includes of one template a row is, and how many there are."""
    same = [place for place, row in enumerate(rows) if number_of(row.include) == number_of(rows[at].include)]
    return same.index(at), len(same)


def is_parameter(expression: Any) -> bool:
    return expression is not None and expression[0] == "$"


def sure_target(concept: Any, bindings: dict[str, Any], templates: dict[str, Any], inside: str) -> str:
    """The template that an include of 2016 names, "" if it was lost or its guess is not sure."""
    if concept is None or concept[1] is None or str(concept[1]) not in templates:
        return ""
    target, how = str(concept[1]), concept[2]
    parameters = {name.lstrip("$") for name in templates[target]["parameters"]}
    sure = {
        "params": bool(bindings) and set(bindings) <= parameters and not inside.startswith("14"),
        "near": bool(bindings) and set(bindings) == parameters,
        "rule": target == "1204",
    }
    return target if sure.get(how, True) else ""


def context_numbers(cell: int | str) -> list[int]:
    """The numbers of a union of context groups, such as 4010_4014."""
    if isinstance(cell, int):
        return [cell]
    return [int(part) for part in cell.split("_") if part.isdigit()] if cell[0].isdigit() else []


def number_of(key: str) -> str:
    """The number of a template, without the letters of a variant."""
    return re.match(r"\d*", key)[0] if key else ""  # type: ignore[index]


def spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


# -- headers


class TemplateTables:
    """The header of all templates. Codes in expressions are their numbers."""

    def __init__(self, templates: list[Template], vocabulary: Vocabulary) -> None:
        self.templates = templates
        self.keys = {template.key: number for number, template in enumerate(templates)}
        self.codes = vocabulary.numbers()
        self.expressions: dict[str, int] = {"": 0}
        self.numbers: dict[str, int] = {"": 0}

    def header(self) -> str:
        return text(self.lines())

    def lines(self) -> Iterator[str]:
        rows = [row for template in self.templates for row in template.rows]
        made = [self.row(row) for row in rows]
        editions = Counter(one.edition for one in self.templates)
        said = ", ".join(f"{editions[edition]} of {edition}" for edition in sorted(editions))
        counts = f"{len(self.templates)} templates ({said}) with {len(rows)} rows"
        yield from opening("TEMPLATES", "Templates of PS3.16.", SOURCE, counts, "template_rows.h")
        yield from counted("RULE_TEMPLATE_ROW", len(rows))
        yield f"static const rule_template_row_t RULE_TEMPLATE_ROWS[{len(rows)}] = {{"
        yield from numbers(made, 4)
        yield "};"
        yield ""
        pool = Pool()
        yield "/* Sorted by number. */"
        yield from counted("RULE_TEMPLATE", len(self.templates))
        yield f"static const rule_template_t RULE_TEMPLATES[{len(self.templates)}] = {{"
        first = 0
        for one in self.templates:
            at, _ = pool.add(one.key + one.name)
            cells = (
                at,
                first,
                len(one.rows),
                number_of(one.key),
                len(one.key),
                len(one.name),
                EDITIONS.index(one.edition),
            )
            yield "    " + braced(cells) + ","
            first += len(one.rows)
        yield "};"
        yield ""
        yield "/* The numbers of rows. */"
        yield from counted("RULE_NUMBER", len(self.numbers))
        assert max(map(len, self.numbers)) < 8
        yield f"static const char RULE_NUMBERS[{len(self.numbers)}][8] = {{"
        yield from numbers((f'"{number}"' for number in self.numbers), 16)
        yield "};"
        yield ""
        yield "/* Expressions, as JSON. */"
        yield from counted("RULE_EXPRESSION", len(self.expressions))
        yield f"static const rule_expression_t RULE_EXPRESSIONS[{len(self.expressions)}] = {{"
        yield from numbers((braced(pool.add(one)) for one in self.expressions), 8)
        yield "};"
        yield ""
        yield from pool.emit("RULE_TEMPLATE_TEXT")
        yield from closing()

    def row(self, row: TemplateRow) -> str:
        assert not row.include or row.include in self.keys, row
        cells = (
            self.expression(row.concept),
            self.expression(row.value),
            self.expression(row.condition),
            self.expression(dict(row.bindings) or None),
            self.keys[row.include] + 1 if row.include else 0,
            self.numbers.setdefault(row.number, len(self.numbers)),
            row.depth,
            RELATIONSHIPS.index(row.relationship),
            VALUE_TYPES.index(row.value_type),
            *row.vm,
            REQUIREMENTS.index(row.requirement),
            row.flags,
        )
        return braced(cells)

    def expression(self, tree: Any) -> int:
        if tree is None:
            return 0
        made = json.dumps(self.numbered(tree), separators=(",", ":"))
        return self.expressions.setdefault(made, len(self.expressions))

    def numbered(self, tree: Any) -> Any:
        """The tree with numbers in the place of codes."""
        if isinstance(tree, dict):
            return {name: self.numbered(part) for name, part in tree.items()}
        if not isinstance(tree, list):
            return tree
        if tree and tree[0] == "C":
            return ["C", self.codes[tree[1], tree[2]]]
        return [self.numbered(part) for part in tree]
