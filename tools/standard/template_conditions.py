"""Conditions of rows of 2016, as they are written, read as trees; and why those that can't be read are undecidable.

A condition is about other rows of its template: whether they are present, and their concept or value. Such a row is one
beside the row at hand, or the one around it. What is about the patient, the procedure or another object is undecidable;
REASONS has every such form, and a condition that is of none is an error when the tables are made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.standard.template_rows import Template, TemplateRow

TABLE = Path(__file__).with_suffix(".csv")
OPEN = ["open"]
MAY_OTHERWISE = 2
CODE = re.compile(r'(?:EV |DT )?\(([^,()]+), *([^,()]+), *"[^"]*"\)')
YES = ("SRT", "R-0038D")
ROWS = r"rows? ([\d,]+(?:(?:,| and| or|,? &) [\d,]+)*)"
IFF = r"(?:Shall be present |May be present )?(?:IFF?|only if)"
EXACT = re.compile(r"XOR|.*\bIFF\b|.*\bonly if\b|Shall be present only")
"""Forms under which an item may not be there otherwise (PS3.16 6.1.8)."""

REASONS = {
    r"exceeds|is > 0": "compares numbers, which are not read",
    r"Observation DateTime": "is about the time of an observation, which is not read",
    r"Completion Flag": "is about an attribute outside the content",
    r"Patient Position": "is about an attribute of the images",
    r"references an? (SR|Fiducial)|multi-frame image": "is about another object",
    r"row 1 of is present for": "is about an item that the row refers to",
    r"more than one item": "is about the number of items that a value has",
    r"is from D|concept is in|specifies a coronary|laterality|subsite": "names a set of codes that the source has lost",
    r"invoked more than once|No more than 1|Fetal Report|location is appropriate": "is about the template's place",
    r"duplicated from a different report|At least two items": "is about items of a parent that was copied",
    r"\$\w+|different from Analysis program": "is about a parameter or a row of another template",
    r"IF Row [45] is absent|rows 6 & 7 must": "is about an include whose template was lost in the source",
    r"Row 7, 8, or 9 not present|Row 3, IFF|Nuclear Imaging; XOR": "joins rows in a way that is not clear",
    r"Processing Type|Processing type": "is about a row of another level",
    r"<ACS>|thermal method|Calibration Object Used|has a value": "is about a value in words only",
    r"not used|model requires|prescribed|perform|ionizing|radioactive|female|specimen|blood|Stress|imaging|Imaging"
    r"|Biplane|Primary|protocol|BSA|echocardiography|Plan Documents|Service Performer|status of the": "is about the"
    " procedure, not about the content",
    r"[Rr]ows? \d": "names a row whose concept is a parameter or is not known, or that stands at another level",
}


class Conditions:
    """The rows of one template, among which conditions name others by their number."""

    def __init__(
        self,
        rows: list[TemplateRow],
        code: Callable[[str, str, str], list[Any]],
        first_row: Callable[[str], TemplateRow | None],
    ) -> None:
        self.rows = rows
        self.code = code
        self.first_row = first_row  # of a template that a row includes

    def read(self, texts: list[str | None]) -> list[TemplateRow]:
        made = []
        for at, (row, said) in enumerate(zip(self.rows, texts, strict=True)):
            if row.requirement in ("MC", "UC"):
                said = " ".join((said or "").split()).rstrip(".")
                flags = row.flags if EXACT.match(said) else row.flags | MAY_OTHERWISE
                row = replace(row, condition=self.tree(said, at), flags=flags)
            made.append(row)
        return made

    def tree(self, said: str, at: int) -> Any:
        for form in (self.absent, self.present, self.at_least_one, self.parent, self.valued, self.named):
            found = form(said, at)
            if found is not None:
                return found
        return OPEN

    def absent(self, said: str, at: int) -> Any:
        found = re.fullmatch(
            rf"(?:XOR (?:with )?{ROWS}(?:\. Shall not be present if the NUM .*)?"
            rf"|IFF? {ROWS}(?: is| are)?(?: absent| not present)|IFF? {ROWS} does not exist)",
            said, re.IGNORECASE,
        )  # fmt: skip
        return self.counted(next(filter(None, found.groups())), at, "and", "==") if found else None

    def present(self, said: str, at: int) -> Any:
        found = re.fullmatch(rf"(?:IFF?|Shall be present if) {ROWS} is present", said, re.IGNORECASE)
        return self.counted(found[1], at, "or", ">") if found else None

    def at_least_one(self, said: str, at: int) -> Any:
        found = re.fullmatch(r"(?:At least one|One or both) of rows? ([\d, &orand-]+) (?:shall|must) be present", said)
        if not found:
            return None
        first, dash, last = found[1].partition("-")
        numbers = [str(n) for n in range(int(first), int(last) + 1)] if dash else re.findall(r"\d+", found[1])
        return self.counted(" ".join(n for n in numbers if n != self.rows[at].number), at, "and", "==")

    def parent(self, said: str, at: int) -> Any:
        """The value of the item around the template."""
        found = re.fullmatch(rf"{IFF} value of parent is (.*)", said)
        codes = list(CODE.finditer(found[1])) if found else []
        if not codes or self.rows[at].depth != 1:
            return None
        return joined("or", [["count", "..", [["SELF", ["value", self.code(c[2], c[1], "")]]], ">", 0] for c in codes])

    def valued(self, said: str, at: int) -> Any:
        """The value of another row, and whether others are absent."""
        found = re.fullmatch(
            rf"(?:({IFF})|(?:Shall be present )?(unless)) (?:the )?(?:concept )?(?:value of )?row (\d+)(?: value)?"
            r"(?: code meaning)?(?: (?:is|=)| (not )?equals?| is (not )equal to) (.*?)"
            rf"(?:,? and {ROWS} (?:is|are) (?:not present|absent)| (or) row (?:\d+) is (?:absent|not present))?",
            said, re.IGNORECASE,
        )  # fmt: skip
        if not found:
            return None
        _, unless, row, not_one, not_two, value, missing, or_absent = found.groups()
        code = CODE.fullmatch(value)
        wanted = (code[2], code[1]) if code else YES if value == "<yes>" else None
        if wanted is None:
            return None
        negated = bool(unless or not_one or not_two)
        tree = self.row_counted(row, at, "==" if negated else ">", ["value", self.code(*wanted, "")])
        if missing:
            return joined("and", [tree, self.counted(missing, at, "and", "==")])
        return joined("or", [tree, self.row_counted(row, at, "==")]) if or_absent else tree

    def named(self, said: str, at: int) -> Any:
        """The concept of another row, and whether others are absent."""
        found = re.fullmatch(
            rf"IFF? (?:concept name of )?Row (\d+)(?: Concept)? is (\(.*?\))(?:, and IFF {ROWS} not present)?",
            said, re.IGNORECASE,
        )  # fmt: skip
        code = CODE.fullmatch(found[2]) if found else None
        if not found or not code:
            return None
        tree = self.row_counted(found[1], at, ">", ["concept", self.code(code[2], code[1], "")])
        return joined("and", [tree, self.counted(found[3], at, "and", "==")]) if found[3] else tree

    def counted(self, named: str, at: int, join: str, operator: str) -> Any:
        return joined(join, [self.row_counted(number, at, operator) for number in re.findall(r"\d+", named)])

    def row_counted(self, number: str, at: int, operator: str, test: Any = None) -> Any:
        """A count of the items that a row of the same template has: one beside the row, or the one around it."""
        found = [place for place, row in enumerate(self.rows) if row.number == number]
        if len(found) != 1:
            return OPEN
        other, own = found[0], self.rows[at].depth
        low, high = min(other, at), max(other, at)
        if self.rows[other].depth == own and all(row.depth >= own for row in self.rows[low:high]):
            where = "."
        elif (
            self.rows[other].depth == own - 1
            and other < at
            and all(row.depth >= own for row in self.rows[other:at][1:])
        ):
            where = ".."
        else:
            return OPEN
        row = self.rows[other]
        if row.include:
            first = self.first_row(row.include)
            row = replace(first, relationship=row.relationship) if first else replace(row, value_type="OPEN")
        if row.value_type in ("OPEN", "INCLUDE"):
            return OPEN
        tests = [test] if test else []
        if row.concept is not None and row.concept[0] in "CDB" and (test is None or test[0] != "concept"):
            tests.insert(0, ["concept", row.concept])
        elif row.concept is None and row.relationship:
            tests.insert(0, ["rel", row.relationship])
        if not tests and where == ".":
            return OPEN
        if where == ".." and self.rows[other].depth == own - 1:
            kind = "SELF"
        else:
            kind = "REFERENCE" if row.flags & 1 else row.value_type
        step = [kind, *([joined("and", tests)] if tests else [])]
        return ["count", where, [step], operator, 0]


def joined(operator: str, parts: list[Any]) -> Any:
    """The parts with an operator between them; open if one is."""
    if not parts or any("open" in json.dumps(part) for part in parts):
        return OPEN
    return parts[0] if len(parts) == 1 else [operator, *parts]


def reason(said: str) -> str:
    """Why a condition is undecidable; empty if nothing is known."""
    return next((text for form, text in REASONS.items() if re.search(form, said)), "")


def coverage(templates: list[Template], sources: Path) -> str:
    """A table of the conditional rows: whether a machine decides their condition, or why it can't."""
    from tools.standard.template_corrections import conditions_of, read_template_overrides

    old = json.loads((sources / "templates.json").read_text(encoding="utf-8"))["templates"]
    newer = conditions_of(read_template_overrides())
    lines = ["template,row,requirement,class,reason"]
    for template in templates:
        key = template.key.upper() if template.key.upper() in old else re.sub(r"\D.*", "", template.key)
        said = {str(row[1]): " ".join((row[7] or "").split()) for row in old.get(key, {"rows": []})["rows"]}
        said |= newer.get(template.key, {})
        for row in template.rows:
            if row.requirement not in ("MC", "UC"):
                continue
            why = reason(said.get(row.number, "")) if "open" in json.dumps(row.condition or OPEN) else ""
            kind = "machine" if "open" not in json.dumps(row.condition or OPEN) else "undecidable" if why else "open"
            lines.append(f'{template.key},{row.number},{row.requirement},{kind},"{why}"')
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table."""
    from tools.standard.contexts import read_vocabulary
    from tools.standard.place import folder
    from tools.standard.templates import read_templates

    sources = folder()
    text = coverage(read_templates(sources, read_vocabulary(sources)), sources)
    TABLE.write_text(text, encoding="utf-8")
    print({kind: text.count(f",{kind},") for kind in ("machine", "undecidable", "open")})


if __name__ == "__main__":
    main()
