"""A condition's text read: its sentences, and what each says of the attribute."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tools.standard.conditions.clauses import clause
from tools.standard.conditions.reading import Reading, Unread
from tools.standard.conditions.tree import ABSENT, FORBIDDEN, FREE, UNDECIDED, Condition, Tree, join
from tools.standard.conditions.words import mark

CONTROL_POINTS = {"300A0111", "300A03A8", "300A02D0", "30080040", "30080041", "30080160"}

# Said beside a condition: how many items or values, what they mean, where to read on.
REMARK = re.compile(
    r"(Only (a single|one|Dosimetric)|One or more|More than one|Two or more|One triplet|A single Value|See "
    r"|Some leniency"
    r"|2?N Values shall|The N Values|The same number|The text value|The VR of|The combined|The toric|This information"
    r"|Every such|Defined Terms|Additional values|Enumerated Values|For Values of|Sequence of operating|Required Motion"
    r"|May be empty if|Shall be present only in the first|If this Sequence is present|Shall not be used"
    r"|or Color Palette|Only required for MR Spectroscopy|(May|Shall) not be used as a Shared)",
    re.I,
)
START = re.compile(r"(?<=\S) (?=(?:Required if|Required when|May be present|May also be present|Otherwise may be) )")
REQUIRED = re.compile(
    r"(?:(?:Otherwise,? )?(?:required|shall be present)(?: only)?,? (?:if|when):? "
    r"|Required (?=¤)|If (?=required by))(.*)",
    re.I,
)
FREE_TEXT = re.compile(r"(otherwise |Otherwise )?(may|maybe)( also)? be present( otherwise)?$", re.I)
OTHERWISE = (
    (FREE, FREE_TEXT),
    (FREE, re.compile(r"May be present otherwise to ")),
    (FORBIDDEN, re.compile(r"(It )?shall not be (present|included|sent) otherwise$|Otherwise not used$", re.I)),
)
"""Sentences on what holds when the condition is not met."""
CLAUSES = (
    ("free unless", re.compile(r"May be present otherwise unless (.*)")),
    ("forbidden", re.compile(r"Shall not be (?:present|included|sent|used)(?: to)?,? (?:if|when) (.*)", re.I)),
    (
        "permitted",
        re.compile(r"(?:Otherwise,? )?may(?: also)? be present(?: otherwise)?,?(?: only)?,? (?:if|for) (.*)", re.I),
    ),
    ("required", REQUIRED),
)
"""Sentences with a clause, and what it is of."""


def sentences(text: str) -> list[str]:
    """The sentences of a marked text."""
    text = text.replace("e.g.,", "such as").replace("i.e.,", "that is").replace("i.e. ", "that is ").replace("..", ".")
    text = re.sub(r"Required if Required if", "Required if", text)
    text = re.sub(r"[,;] (?=(?:otherwise )?(?:may|maybe|shall not) be present)", ". ", text)
    parts = [part for sentence in re.split(r"(?<=[\w¤¬\"”)])[.;](?:\s+|$)", text) for part in START.split(sentence)]
    return [part.strip(" .,–") for part in parts if part.strip(" .,–")]


@dataclass
class _Said:
    """What the sentences of a text say."""

    reading: Reading
    required: list[Tree] = field(default_factory=list)
    permitted: list[Tree] = field(default_factory=list)
    forbidden: list[Tree] = field(default_factory=list)
    otherwise: str = ABSENT

    def hear(self, sentence: str) -> bool:
        """Take a sentence in; False if it has no known shape."""
        for otherwise, pattern in OTHERWISE:
            if pattern.match(sentence):
                self.otherwise = otherwise
                return True
        for role, pattern in CLAUSES:
            if m := pattern.match(sentence):
                self._hear_clause(role, clause(m[1], self.reading))
                return True
        return self._hear_others(sentence)

    def _hear_clause(self, role: str, tree: Tree) -> None:
        if role == "free unless":
            self.otherwise = FREE
            self.forbidden.append(tree)
        else:
            {"required": self.required, "permitted": self.permitted, "forbidden": self.forbidden}[role].append(tree)

    def _hear_others(self, sentence: str) -> bool:
        if m := re.match(r"Mutually exclusive with (¤\d+¤)$", sentence):
            self.forbidden.append(clause(f"{m[1]} is present", self.reading))
            self.required.append(clause(f"{m[1]} is not present", self.reading))
        elif m := re.match(r"Either one or both of (¤\d+¤) or (¤\d+¤) are required$", sentence):
            tags = [self.reading.tokens[int(one.strip("¤"))].value for one in m.groups()]
            other = next(tag for tag in tags if tag != self.reading.own)
            self.required.append(("not", ("has", self.reading.scope(other), other)))
            self.otherwise = FREE
        elif m := re.match(r"Required for (.*)", sentence):
            self.required.append(_required_for(m[1], self.reading))
        else:
            return REMARK.match(sentence) is not None
        return True

    def condition(self) -> Condition:
        """The condition that they make together."""
        required, otherwise = self.required, self.otherwise
        if not required:
            if not self.forbidden and not self.permitted:
                raise Unread("says nothing")
            required = [("false",)] if self.forbidden and not self.permitted else [UNDECIDED]
            otherwise = FREE if self.forbidden else otherwise
        return Condition(
            join("or", *required),
            otherwise,
            join("or", *self.permitted) if self.permitted else None,
            join("or", *self.forbidden) if self.forbidden else None,
        )


def read(text: str, reading: Reading) -> Condition:
    """The condition that a text states."""
    marked, reading.tokens = mark(text)
    said = _Said(reading)
    for sentence in sentences(marked):
        if not said.hear(sentence):
            raise Unread(f"sentence: {sentence[:60]}")
    return said.condition()


def _required_for(text: str, reading: Reading) -> Tree:
    """`Required for the first item of …, or if …`."""
    m = re.match(r"all but the last Item in this Sequence and for the last Item if (.*)", text)
    if m:
        return join("or", ("not", ("place", -1)), clause(m[1], reading))
    m = re.match(
        r"(?:the )?(?:first (?:item|control point)|control point 0) (?:of|in) "
        r"(?:(?:segment|ion)? ?control point sequence|¤(\d+)¤)"
        r"(?: if (.*?)(?=, or if|, and in))?(?:,? (?:or|and) (.*))?$",
        text,
        re.I,
    )
    if not m:
        return clause(text, reading)
    if reading.inside not in CONTROL_POINTS or (m[1] and reading.tokens[int(m[1])].value not in CONTROL_POINTS):
        raise Unread(f"first item, but in {reading.inside}")
    first: Tree = ("place", 1)
    if m[2]:
        first = join("and", first, clause(m[2], reading))
    if not m[3]:
        return first
    rest = re.sub(r"^(if|in subsequent control points if) ", "", m[3])
    both = re.match(r"(.*?changes?(?: [^,]*?)?)(?:,? and(?: if)?) (.*)", rest)
    if both:  # what comes after `and` concerns the first item, too
        return join("and", join("or", first, clause(both[1], reading)), clause(both[2], reading))
    return join("or", first, clause(rest, reading))
