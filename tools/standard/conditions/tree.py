"""The form of a condition: a tree of three values (yes, no, unknown) and what follows from it.

A tree is a tuple that begins with its operator:

=========== ============================= =======================================================================
operator    operands                      yes when
=========== ============================= =======================================================================
and or xor  trees
not         a tree
?                                         never, nor no: what no machine can tell is unknown
true false
has         scope, tag                    the element is there, empty or not (`60xx…`: in any such group)
val         scope, tag, n                 value `n` is there (0: any)
in          scope, tag, n, strings        value `n` (0: any) equals one of them
other       scope, tag, n, strings        value `n` (0: each) is there and equals none of them; unknown when it isn't
                                          there
cmp         scope, tag, n, op, integer    value `n` (0: any) compares so: ``== != < <= > >=``
tag         scope, tag, n, tag            value `n` (0: any) of this AT element is the tag
odd         scope, tag                    a value of this AT element is the tag of a private element
code        scope, tag, codes             an item of this code sequence has one of the codes (scheme, value)
items       scope, tag, op, number        the sequence has so many items; without the sequence it has none
place       number                        the item that the rule stands in has this place in its sequence (1: the
                                          first, -1: the last)
module      module id                     this module is in the data set
wide        scope                         a text (SH, LO, ST, LT, PN, UC, UT) has a byte of 80H or more, or ESC; items
                                          with a Specific Character Set of their own don't count
=========== ============================= =======================================================================

A missing element makes `val`, `in`, `cmp`, `tag`, `odd` and `code` no. Values are compared without padding; one that
cannot be read as its VR says is no value.

A scope is a base and sequences: ``./00540220`` are the items of that sequence beside the rule. Where it stands for
several data sets, those that have the element count, and one that passes will do.

======= ==========================================================================================================
base    data set
======= ==========================================================================================================
``.``   the data set or item that the attribute stands in
``..``  the one around it; ``../..`` the one around that
``/``   the root
``^``   the nearest of these, from ``.`` outward, that has the element; none has it: as if it were missing
``@``   the functional groups of the frame: the items of the shared and of this frame's groups (and of the current
        frame's in real-time video), and the items of their sequences. A rule in the shared groups or in none
        concerns every frame: yes when it is yes for every frame, no when it is no for every frame, else unknown
======= ==========================================================================================================

Groups of frames come in three sequences of the root, in whose items ``@`` looks two levels deep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Tree = tuple[Any, ...]

YES, NO, UNKNOWN = 1, 0, 2

LOGIC = ("and", "or", "xor", "not")
UNDECIDED: Tree = ("?",)

FREE = "free"
"""When the condition is not met, the attribute may be there."""
FORBIDDEN = "forbidden"
"""When the condition is not met, the text says that it must not be there."""
ABSENT = "absent"
"""The text says nothing of this, so that PS3.5 7.4.2 (1C) or 7.4.4 (2C) does: it is not there."""


@dataclass(frozen=True)
class Condition:
    """Required when `required` is yes. When it is no and `permitted` is not yes or unknown either, `otherwise` holds.

    When `forbidden` is yes, the attribute must not be there, whatever else.
    """

    required: Tree
    otherwise: str = ABSENT
    permitted: Tree | None = None
    forbidden: Tree | None = None

    def trees(self) -> Iterator[Tree]:
        """The trees that it has."""
        yield self.required
        if self.permitted is not None:
            yield self.permitted
        if self.forbidden is not None:
            yield self.forbidden

    @property
    def machine(self) -> bool:
        """Can it require the attribute of some data set, or forbid it?"""
        required = reach(self.required)
        if YES in required or (self.forbidden is not None and YES in reach(self.forbidden)):
            return True
        permitted = self.permitted is None or NO in reach(self.permitted)
        return self.otherwise != FREE and NO in required and permitted

    @property
    def whole(self) -> bool:
        """Does every data set have an answer?"""
        return not any(leaf[0] == "?" for tree in self.trees() for leaf in leaves(tree))


def leaves(tree: Tree) -> Iterator[Tree]:
    """The tests of a tree."""
    if tree[0] in LOGIC:
        for part in tree[1:]:
            yield from leaves(part)
    else:
        yield tree


def conjoin(values: list[int]) -> int:
    """Three-valued and."""
    return NO if NO in values else UNKNOWN if UNKNOWN in values else YES


def disjoin(values: list[int]) -> int:
    """Three-valued or."""
    return YES if YES in values else UNKNOWN if UNKNOWN in values else NO


def differ(values: list[int]) -> int:
    """Three-valued xor: exactly one."""
    return UNKNOWN if UNKNOWN in values else YES if values.count(YES) == 1 else NO


def negate(value: int) -> int:
    """Three-valued not."""
    return UNKNOWN if value == UNKNOWN else 1 - value


def evaluate(tree: Tree, test: Callable[[Tree], int]) -> int:
    """The value of a tree, where `test` answers for each of its leaves but ``?``, ``true`` and ``false``."""
    kind = tree[0]
    if kind == "not":
        return negate(evaluate(tree[1], test))
    if kind in LOGIC:
        values = [evaluate(part, test) for part in tree[1:]]
        return conjoin(values) if kind == "and" else disjoin(values) if kind == "or" else differ(values)
    if kind in ("?", "true", "false"):
        return UNKNOWN if kind == "?" else YES if kind == "true" else NO
    return test(tree)


def reach(tree: Tree) -> set[int]:
    """The values that a tree could take if each of its tests could be yes and no."""
    kind = tree[0]
    if kind == "not":
        return {negate(value) for value in reach(tree[1])}
    if kind in LOGIC:
        combine = {"and": conjoin, "or": disjoin, "xor": differ}[kind]
        values = reach(tree[1])
        for part in tree[2:]:
            values = {combine([one, other]) for one in values for other in reach(part)}
        return values
    return {UNKNOWN} if kind == "?" else {YES} if kind == "true" else {NO} if kind == "false" else {YES, NO}


def join(kind: str, *parts: Tree) -> Tree:
    """`and` or `or` of trees, flat, equal ones once."""
    flat: list[Tree] = []
    for part in parts:
        for one in part[1:] if part[0] == kind else (part,):
            if one not in flat:
                flat.append(one)
    return flat[0] if len(flat) == 1 else (kind, *flat)
