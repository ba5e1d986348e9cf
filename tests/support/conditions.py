"""Conditions of tools/standard over data sets, in plain Python: what native evaluators are compared with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dicomcore import Dataset
from tools.standard.conditions.code import OPERATORS, THROUGH_SEQUENCES, Pool, decode, parts_of_scope
from tools.standard.conditions.tree import (
    FREE,
    NO,
    UNKNOWN,
    YES,
    Condition,
    Tree,
    conjoin,
    differ,
    disjoin,
    evaluate,
    negate,
)

SHARED, FRAMES, CURRENT = 0x52009229, 0x52009230, 0x00060001
TEXT = {"SH", "LO", "ST", "LT", "PN", "UC", "UT"}
CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
OPERANDS = {
    "?": 0, "true": 0, "false": 0, "place": 1, "module": 2, "wide": 0, "has": 2, "odd": 2, "val": 3, "code": 4, "in": 5,
    "other": 5, "tag": 5, "items": 2, "cmp": 3,
}  # fmt: skip
"""Bytes of a test behind its operator and scope; `items` and `cmp` have a relation more."""
RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass
class Spot:
    """Where a rule stands: in the item that `steps` (sequence, index from 0) lead to from the root."""

    root: Dataset
    steps: tuple[tuple[int, int], ...] = ()
    modules: frozenset[str] = frozenset()
    """Ids of the modules that are in the data set."""
    chain: list[Dataset] = field(init=False)
    """The root, and the items down to the one where the rule stands."""

    def __post_init__(self) -> None:
        self.chain = [self.root]
        for tag, index in self.steps:
            self.chain.append(_items(self.chain[-1], tag)[index])

    def value(self, tree: Tree) -> int:
        """The value of a tree: yes, no or unknown."""
        return evaluate(tree, self.test)

    def verdict(self, condition: Condition) -> str:
        """What a condition says of its attribute: ``required``, ``forbidden``, ``free`` or ``unknown``."""
        if condition.forbidden is not None and self.value(condition.forbidden) == YES:
            return "forbidden"
        required = self.value(condition.required)
        if required == YES:
            return "required"
        if condition.otherwise == FREE:
            return "free" if required == NO else "unknown"
        permitted = NO if condition.permitted is None else self.value(condition.permitted)
        if permitted == YES:
            return "free" if required == NO else "unknown"
        return "forbidden" if required == NO and permitted == NO else "unknown"

    def test(self, leaf: Tree) -> int:
        """The value of a test."""
        kind = leaf[0]
        if kind == "module":
            return int(leaf[1] in self.modules)
        if kind == "place":
            return self._test_place(leaf[1])
        base, sequences = parts_of_scope(leaf[1])
        if base != "@":
            return _test(leaf, self._data_sets(base, sequences, leaf))
        values = {_test(leaf, _through(found, sequences)) for found in self._frames()}
        return values.pop() if len(values) == 1 else UNKNOWN

    def _test_place(self, place: int) -> int:
        if not self.steps:
            return NO
        tag, index = self.steps[-1]
        count = len(_items(self.chain[-2], tag))
        return int(index == (place - 1 if place > 0 else count + place))

    def _data_sets(self, base: str, sequences: tuple[str, ...], leaf: Tree) -> list[Dataset]:
        if base == "^":
            tag = sequences[0] if sequences else leaf[2]
            found = next((one for one in reversed(self.chain) if int(tag, 16) in one), None)
            return _through([] if found is None else [found], sequences)
        if base == "/":
            return _through([self.root], sequences)
        up = {".": 0, "..": 1, "../..": 2, "../../..": 3}[base]
        return _through(self.chain[-1 - up : len(self.chain) - up] if up < len(self.chain) else [], sequences)

    def _frames(self) -> list[list[Dataset]]:
        """For each frame that the rule concerns: the items of its groups, and the items of their sequences."""
        shared = _items(self.root, SHARED) + _items(self.root, CURRENT)
        frames = _items(self.root, FRAMES)
        if self.steps and self.steps[0][0] == FRAMES:
            frames = frames[self.steps[0][1] : self.steps[0][1] + 1]
        return [_two_levels([*shared, frame]) for frame in frames] or [_two_levels(shared)]


def _two_levels(items: list[Dataset]) -> list[Dataset]:
    return items + [inner for item in items for element in item if element.VR == "SQ" for inner in element.value]


def _items(data_set: Dataset, tag: int) -> list[Dataset]:
    element = data_set.get(tag)
    return list(element.value) if element is not None and element.VR == "SQ" else []


def _through(data_sets: list[Dataset], sequences: tuple[str, ...]) -> list[Dataset]:
    for one in sequences:
        data_sets = [item for data_set in data_sets for item in _items(data_set, int(one, 16))]
    return data_sets


def _elements(data_sets: list[Dataset], tag: str) -> Iterator[Any]:
    for data_set in data_sets:
        if "x" in tag:
            for group in range(0x6000, 0x6020, 2) if tag.startswith("6") else range(0x5000, 0x5020, 2):
                if (number := group << 16 | int(tag[4:], 16)) in data_set:
                    yield data_set[number]
        elif tag == "00020010":
            if data_set.file_meta is not None and 0x00020010 in data_set.file_meta:
                yield data_set.file_meta[0x00020010]
        elif int(tag, 16) in data_set:
            yield data_set[int(tag, 16)]


def _test(leaf: Tree, data_sets: list[Dataset]) -> int:
    kind = leaf[0]
    if kind == "wide":
        return int(any(_is_wide(one) for one in data_sets))
    elements = list(_elements(data_sets, leaf[2]))
    if kind == "has":
        return int(bool(elements))
    if kind == "items":
        counts = [len(element.value) if element.VR == "SQ" else 0 for element in elements] or [0]
        return int(any(RELATIONS[leaf[3]](count, leaf[4]) for count in counts))
    if kind == "code":
        return int(any(_has_code(item, leaf[3]) for one in elements if one.VR == "SQ" for item in one.value))
    return disjoin([_test_values(leaf, _texts(element)) for element in elements]) if elements else _missing(kind)


def _missing(kind: str) -> int:
    return UNKNOWN if kind == "other" else NO


def _test_values(leaf: Tree, held: list[str]) -> int:
    kind, n = leaf[0], 0 if leaf[0] == "odd" else leaf[3]
    chosen = [value for value in (held if n == 0 else held[n - 1 : n]) if value]
    if not chosen:
        return _missing(kind)
    if kind == "val":
        return YES
    if kind == "odd":
        return int(any(int(value, 16) >> 16 & 1 for value in chosen))
    if kind == "tag":
        return int(leaf[4] in chosen)
    if kind == "cmp":
        return int(any(RELATIONS[leaf[4]](number, leaf[5]) for number in map(_integer, chosen) if number is not None))
    return int(any(value in leaf[4] for value in chosen) == (kind == "in"))


def _integer(text: str) -> int | None:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return None


def _texts(element: Any) -> list[str]:
    value = element.value
    if value is None:
        return []
    values = value if isinstance(value, (list, tuple)) else [value]
    if element.VR == "AT":
        return [f"{int(one):08X}" for one in values]
    if element.VR == "SQ":
        return ["item"] * len(values)
    return [str(one).strip(" \0") for one in values]


def _has_code(item: Dataset, codes: tuple[tuple[str, str], ...]) -> bool:
    scheme = "".join(_texts(item[0x00080102])[:1]) if 0x00080102 in item else ""
    values = [text for tag in CODE_VALUES if tag in item for text in _texts(item[tag])[:1]]
    return any((scheme, value) in codes for value in values)


def _is_wide(data_set: Dataset) -> bool:
    """Has a text a byte of 80H or more, or ESC?"""
    for element in data_set:
        if element.VR in TEXT and any(ord(one) >= 0x80 or one == "\x1b" for text in _texts(element) for one in text):
            return True  # escape sequences of a data set that was read are gone, with what they were for in their place
        if element.VR == "SQ" and any(0x00080005 not in item and _is_wide(item) for item in element.value):
            return True
    return False


def execute(code: bytes, pool: Pool, test: Callable[[Tree], int]) -> int:
    """The value of a code, on a stack, as native code runs it."""
    stack: list[int] = []
    at = 0
    while at < len(code):
        kind = OPERATORS[code[at] & 31]
        if kind == "not":
            stack[-1] = negate(stack[-1])
            at += 1
        elif kind in ("and", "or", "xor"):
            count = code[at + 1]
            combine = {"and": conjoin, "or": disjoin, "xor": differ}[kind]
            stack[len(stack) - count :] = [combine(stack[len(stack) - count :])]
            at += 2
        else:
            size = _size(code, at)
            leaf = decode(code[at : at + size], pool)
            stack.append(evaluate(leaf, test))
            at += size
    (value,) = stack
    return value


def _size(code: bytes, at: int) -> int:
    """The bytes of the test at `at`."""
    kind = OPERATORS[code[at] & 31]
    scope = 1 + 2 * (code[at + 1] & 31) if code[at] >> 5 == THROUGH_SEQUENCES else 0
    size = 1 + scope + OPERANDS[kind]
    if kind in ("items", "cmp"):
        size += 2 if code[at + size] & 8 else 5
    return size
