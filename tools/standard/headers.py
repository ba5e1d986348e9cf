"""The C headers of `_native/rules/tables`, whose rows `_native/rules/layout.h` describes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydicom.datadict import keyword_for_tag

from tools.make_tables import Pool, numbers
from tools.standard.model import GROUPS, TYPES, Binding, Iod, Module, Refinement, Row, Standard, Usage, ValueSet
from tools.standard.pool import ConditionPool, row_key, usage_key, use_key

GROUP_TARGET = 0xFFFF
ROWS = {"attribute": 0, "include": 1, "open": 2}  # as layout.h counts them
EDITIONS = ("2024-12", "2016", "2008")
FORMS = ("string", "number", "tag", "bits", "range")
KINDS = ("module", "macro", "other")

STRUCTURE = (
    "PS3.3 2025e from GoogleCloudPlatform/medical-imaging (Apache-2.0), brought to 2026b by highdicom 0.28.2 (MIT)"
)
VALUES = (
    "values of 2024-12 from QIICR/dicom3tools (BSD), of 2016 from vupeter/posdaJS (MIT); context groups from"
    " dicom3tools, pydicom/dicom-validator (2016, MIT) and malaterre/GDCM (2008, BSD)"
)


class Tables:
    """All tables of one model, numbered."""

    def __init__(self, standard: Standard, conditions: ConditionPool) -> None:
        self.standard = standard
        self.conditions = conditions
        self.text = Pool()
        self.modules = list(standard.modules.values())
        self.module_numbers = {module.id: number for number, module in enumerate(self.modules)}
        self.iods = list(standard.iods.values())
        self.ies = sorted({one.ie for iod in self.iods for one in (*iod.usages, *iod.groups)})
        self.items = ["", *sorted({row.items for module in self.modules for row in module.rows if row.items})]
        self.sets: dict[tuple[str, tuple[str | int, ...]], int] = {}
        self.uses: list[Binding] = []
        self.paths: list[str] = []
        # Conditions name sets of values, too; equal ones are kept once.
        self.condition_sets = [self.set_number(ValueSet("string", values)) for values in conditions.sets]
        # Lists of uses that several rows have in common are kept once; the empty one is at 0.
        self.use_starts: dict[tuple[Binding, ...], int] = {(): 0}

    def use_start(self, bindings: tuple[Binding, ...]) -> int:
        if bindings not in self.use_starts:
            self.use_starts[bindings] = len(self.uses)
            self.uses.extend(bindings)
        return self.use_starts[bindings]

    def set_number(self, values: ValueSet) -> int:
        members = values.values if values.form == "range" else tuple(sorted(set(values.values), key=sort_key))
        return self.sets.setdefault((values.form, members), len(self.sets))

    def headers(self) -> dict[str, str]:
        """The text of every header, by file name; later ones need what earlier ones have put into the pools."""
        made = {
            "modules.h": text(self.module_header()),
            "iods.h": text(self.iod_header()),
            "values.h": text(self.value_header()),
            "conditions.h": text(self.condition_header()),
        }
        return {**made, "text.h": text(self.text_header())}

    def module_header(self) -> Iterator[str]:
        rows = [row for module in self.modules for row in module.rows]
        refinements = [one for owner in (*self.modules, *self.iods) for one in owner.refinements]
        counts = (
            f"{len(self.modules)} modules and macros, {sum(row.tag is not None for row in rows)} attributes,"
            f" {sum(row.include is not None for row in rows)} includes, {len(refinements)} refinements"
        )
        yield from opening("MODULES", "Modules and macros of PS3.3.", STRUCTURE, counts)
        yield from counted("RULE_ROW", len(rows))
        yield f"static const rule_row_t RULE_ROWS[{len(rows)}] = {{"
        for module in self.modules:
            yield f"    /* {module.id} {module.name} */"
            yield from numbers((self.row(row) for row in module.rows), 4)
        yield "};"
        yield ""
        yield from counted("RULE_MODULE", len(self.modules))
        yield f"static const rule_module_t RULE_MODULES[{len(self.modules)}] = {{"
        first = refined = 0
        for module in self.modules:
            yield "    " + self.module(module, first, refined) + ","
            first += len(module.rows)
            refined += len(module.refinements)
        yield "};"
        yield ""
        yield "/* Those of modules, in their order; those of IODs come behind them. */"
        yield from counted("RULE_REFINEMENT", len(refinements))
        yield f"static const rule_refinement_t RULE_REFINEMENTS[{len(refinements)}] = {{"
        yield from numbers(map(self.refinement, refinements), 4)
        yield "};"
        yield ""
        yield from array("uint32_t", "RULE_PATHS", (code(tag) for tag in self.paths), 8)
        yield ""
        yield from counted("RULE_ITEMS", len(self.items))
        yield f"static const rule_items_t RULE_ITEMS[{len(self.items)}] = {{"
        yield from numbers(map(items, self.items), 8)
        yield "};"
        yield ""
        unknown = {row.tag: row.keyword for row in rows if row.tag and not known_keyword(row.tag)}
        yield "/* Keywords that the dictionary does not have, sorted by tag. */"
        yield from counted("RULE_KEYWORD", len(unknown))
        yield f"static const rule_keyword_t RULE_KEYWORDS[{len(unknown)}] = {{"
        yield from numbers((f"{{{code(tag)}, {self.put(name)}}}" for tag, name in sorted(unknown.items())), 4)
        yield "};"
        yield from closing()

    def row(self, row: Row) -> str:
        kind = "attribute" if row.tag else "include" if row.include else "open"
        target = 0
        if row.include:
            target = GROUP_TARGET if row.include == GROUPS else self.module_numbers[row.include]
        cells = (
            code(row.tag) if row.tag else 0,
            target,
            self.conditions.number(row_key(row.origin)),
            self.use_start(row.bindings),
            len(row.bindings),
            row.depth,
            ROWS[kind],
            TYPES.index(row.type),
            self.items.index(row.items or ""),
            0,
        )
        return braced(cells)

    def module(self, module: Module, first: int, refined: int) -> str:
        at, total = self.text.add(module.name + module.id + module.clause)
        lengths = (len(module.name), len(module.id), len(module.clause))
        assert total == sum(lengths), "a name that is not ASCII"
        cells = (at, first, len(module.rows), refined, len(module.refinements), *lengths, KINDS.index(module.kind))
        return braced(cells)

    def refinement(self, one: Refinement) -> str:
        at = len(self.paths)
        self.paths.extend(one.path)
        condition = self.conditions.number(row_key(one.origin))
        uses = (self.use_start(one.bindings), len(one.bindings))
        return braced((at, len(one.path), condition, *uses, TYPES.index(one.type)))

    def iod_header(self) -> Iterator[str]:
        usages = [(iod, one) for iod in self.iods for one in iod.usages]
        groups = [(iod, one) for iod in self.iods for one in iod.groups]
        counts = (
            f"{len(self.standard.sop_classes)} SOP classes, {len(self.iods)} IODs, {len(usages)} usages of modules,"
            f" {len(groups)} of macros of functional groups"
        )
        yield from opening("IODS", "IODs of PS3.3 and the SOP classes of PS3.4 that use them.", STRUCTURE, counts)
        yield from counted("RULE_IE", len(self.ies))
        yield f"static const char *const RULE_IES[{len(self.ies)}] = {{"
        yield from numbers((f'"{one}"' for one in self.ies), 4)
        yield "};"
        yield ""
        yield "/* The usages of modules, in the order of the IODs; those of functional groups come behind them. */"
        yield from counted("RULE_USAGE", len(usages) + len(groups))
        yield f"static const rule_usage_t RULE_USAGES[{len(usages) + len(groups)}] = {{"
        yield from numbers((self.usage(*one) for one in usages + groups), 6)
        yield "};"
        yield ""
        yield from counted("RULE_IOD", len(self.iods))
        yield f"static const rule_iod_t RULE_IODS[{len(self.iods)}] = {{"
        first, group = 0, len(usages)
        refined = sum(len(module.refinements) for module in self.modules)
        for iod in self.iods:
            at, length = self.text.add(iod.name)
            rows = (len(iod.usages), len(iod.groups), len(iod.refinements))
            yield "    " + braced((at, first, group, refined, *rows, length)) + ","
            refined += len(iod.refinements)
            first += len(iod.usages)
            group += len(iod.groups)
        yield "};"
        yield ""
        yield "/* Sorted by the bytes of the UID. */"
        yield from counted("RULE_SOP_CLASS", len(self.standard.sop_classes))
        yield f"static const rule_sop_class_t RULE_SOP_CLASSES[{len(self.standard.sop_classes)}] = {{"
        keys = list(self.standard.iods)
        for uid, (name, iod) in sorted(self.standard.sop_classes.items()):
            at, _ = self.text.add(uid + name)
            yield "    " + braced((at, keys.index(iod), len(uid), len(name))) + f",  /* {uid} */"
        yield "};"
        yield from closing()

    def usage(self, iod: Iod, one: Usage) -> str:
        condition = self.conditions.number(usage_key(iod.key, one.module)) if one.usage == "C" else 0
        return braced((self.module_numbers[one.module], condition, self.ies.index(one.ie), f"'{one.usage}'"))

    def value_header(self) -> Iterator[str]:
        uses = [self.use(one) for one in self.uses]
        values = [value for _, members in self.sets for value in members]
        counts = f"{len(self.sets)} value sets, {len(values)} values, {len(uses)} uses"
        yield from opening("VALUES", "Enumerated values and defined terms of attributes.", VALUES, counts)
        yield from counted("RULE_USE", len(uses))
        yield f"static const rule_use_t RULE_USES[{len(uses)}] = {{"
        yield from numbers(uses, 6)
        yield "};"
        yield ""
        yield from counted("RULE_SET", len(self.sets))
        yield f"static const rule_set_t RULE_SETS[{len(self.sets)}] = {{"
        yield from numbers(self.set_rows(), 8)
        yield "};"
        yield ""
        yield "/* Strings are sorted by length and bytes, numbers by size. */"
        yield from counted("RULE_VALUE", len(values))
        yield f"static const rule_value_t RULE_VALUES[{len(values)}] = {{"
        yield from numbers((self.value(form, value) for form, members in self.sets for value in members), 8)
        yield "};"
        yield from closing()

    def use(self, one: Binding) -> str:
        cells = (
            self.set_number(one.values),
            self.conditions.number(use_key(one.condition)),
            f"'{one.kind}'",
            one.number,
            EDITIONS.index(one.edition),
            int(one.condition is not None),
        )
        return braced(cells)

    def set_rows(self) -> Iterator[str]:
        first = 0
        for form, members in self.sets:
            yield braced((first, len(members), FORMS.index(form)))
            first += len(members)

    def value(self, form: str, value: str | int) -> str:
        if form == "string":
            return braced(self.text.add(str(value)))
        return braced((code(str(value)) if form == "tag" else int(value) & 0xFFFFFFFF, 0))

    def condition_header(self) -> Iterator[str]:
        codes = sorted(self.conditions.numbers, key=self.conditions.numbers.__getitem__)
        counts = f"{len(codes) - 1} conditions, {sum(map(len, codes))} bytes"
        source = f"{STRUCTURE}; texts lost there of 2016 from vupeter/posdaJS (MIT)"
        yield from opening("CONDITIONS", "Conditions as bytes, by number; 0 is none.", source, counts)
        yield from counted("RULE_CONDITION", len(codes))
        at = [0]
        for one in codes:
            at.append(at[-1] + len(one))
        yield from array("uint32_t", "RULE_CONDITION_AT", at, 16)
        yield ""
        yield from array("uint8_t", "RULE_CONDITION_CODE", [*b"".join(codes), 0], 32)
        yield ""
        yield "/* What the bytes refer to by index: tags, sets of RULE_SETS, modules. An unused one ends each table. */"
        yield from counted("RULE_CONDITION_TAG", len(self.conditions.tags))
        yield from counted("RULE_CONDITION_SET", len(self.condition_sets))
        yield from counted("RULE_CONDITION_MODULE", len(self.conditions.modules))
        yield from array("uint32_t", "RULE_CONDITION_TAGS", [*map(code, self.conditions.tags), 0], 8)
        yield from array("uint16_t", "RULE_CONDITION_SETS", [*self.condition_sets, 0], 16)
        modules = (self.module_numbers[name] for name in self.conditions.modules)
        yield from array("uint16_t", "RULE_CONDITION_MODULES", [*modules, 0], 16)
        yield from closing()

    def text_header(self) -> Iterator[str]:
        counts = f"{len(self.text.offsets)} strings"
        yield from opening("TEXT", "Names and values of the other tables.", f"{STRUCTURE}; {VALUES}", counts)
        yield from self.text.emit("RULE_TEXT")
        yield from closing()

    def put(self, value: str) -> str:
        return ", ".join(map(str, self.text.add(value)))


def sort_key(value: str | int) -> tuple[int, bytes]:
    return (len(value.encode()), value.encode()) if isinstance(value, str) else (value, b"")


def code(tag: str) -> str:
    """A tag as the tables keep it; each x of a repeating group is an F, as in the dictionary."""
    return f"0x{tag.replace('x', 'F')}"


def known_keyword(tag: str) -> str:
    return keyword_for_tag(int(tag.replace("x", "0"), 16))


def items(text: str) -> str:
    """How many items a sequence has: a tag that tells it, the fewest, and the most (0: any number)."""
    if text.startswith("="):
        return braced((code(text[1:]), 0, 0))
    least, _, most = text.partition("-")
    most = most or least
    return braced((0, least or 0, 0 if most in ("", "n") else most))


def braced(cells: Iterable[object]) -> str:
    return "{" + ", ".join(map(str, cells)) + "}"


def counted(name: str, count: int) -> Iterator[str]:
    yield f"#define {name}_COUNT {count}"


def array(kind: str, name: str, values: Iterable[object], each: int) -> Iterator[str]:
    values = list(values)
    yield f"static const {kind} {name}[{len(values)}] = {{"
    yield from numbers(values, each)
    yield "};"


def opening(
    name: str, what: str, source: str, counts: str, layout: str = "layout.h", room: str = "rules"
) -> Iterator[str]:
    yield f"/* {what}"
    yield " *"
    yield " * Made by `python -m tools.standard`; edit that, not this."
    yield f" * Input: {source}."
    yield f" * Holds {counts}. */"
    guard = f"DICOMCORE_{room.upper()}_{name}_H"
    yield f"#ifndef {guard}"
    yield f"#define {guard}"
    yield ""
    yield f'#include "{room}/{layout}"'
    yield ""


def closing() -> Iterator[str]:
    yield ""
    yield "#endif"


def text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
