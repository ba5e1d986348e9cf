"""Conditions in bytes: a postfix code for a stack machine of three values (0 no, 1 yes, 2 unknown).

Tags, value sets and other strings stand in pools that all conditions share; the code has their indices.

A tree is a row of instructions. The first byte is the operator (low five bits) and the base of the scope (high three
bits); a test pushes its value, `not` replaces the top, the others pop their operands and push the result. Indices are
little-endian uint16, `n` is a byte (0: any value), `count` a byte, an integer a little-endian int32.

==== ====== ================================ =======================
byte name   what follows                     pops
==== ====== ================================ =======================
0    and    count                            count
1    or     count                            count
2    xor    count                            count
3    not                                     1
4    ?                                       pushes unknown
5    true
6    false
7    has    scope, tag index
8    val    scope, tag index, n
9    in     scope, tag index, n, set index
10   other  scope, tag index, n, set index
11   cmp    scope, tag index, n, relation and integer
12   tag    scope, tag index, n, tag index
13   odd    scope, tag index
14   code   scope, tag index, set index      (values ``scheme|code``)
15   items  scope, tag index, relation and integer
16   place  a signed byte: 1 first, -1 last
17   module string index
18   wide   scope
==== ====== ================================ =======================

The bases in the high three bits: 0 ``.``, 1 ``..``, 2 ``../..``, 3 ``../../..``, 4 ``/``, 5 ``^``, 6 ``@``, and 7:
the next byte is a base and a count (low five bits) of sequences, whose tag indices follow. A scope's own bytes, if
any, come before what the table lists.

A relation is a byte, 0 ``==`` 1 ``!=`` 2 ``<`` 3 ``<=`` 4 ``>`` 5 ``>=``; with 8 added, the integer after it is one
byte and unsigned.

A condition begins with a byte: bits 0-1 say what holds otherwise (0 free, 1 forbidden, 2 absent), bit 2 that a
permitting tree is there, bit 3 that a forbidding one is. A byte with the length of the required tree follows (a uint16
when bit 4 is set), its code, then for each other tree the same.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from tools.standard.conditions.tree import ABSENT, FORBIDDEN, FREE, Condition, Tree

OPERATORS = (
    "and", "or", "xor", "not", "?", "true", "false", "has", "val", "in", "other", "cmp", "tag", "odd", "code", "items",
    "place", "module", "wide",
)  # fmt: skip
BASES = (".", "..", "../..", "../../..", "/", "^", "@")
RELATIONS = ("==", "!=", "<", "<=", ">", ">=")
OTHERWISE = (FREE, FORBIDDEN, ABSENT)
THROUGH_SEQUENCES = 7
SHORT = 8  # added to a relation whose integer is one byte
LONG_LENGTHS = 16
MOST_STEPS = 6
"""Sequences in a scope that native code has room for."""


@dataclass
class Pool:
    """What codes refer to by index: tags, sets of values, strings; each once, in the order of first use."""

    tags: list[str] = field(default_factory=list)
    sets: list[tuple[str, ...]] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    _known: dict[Any, int] = field(default_factory=dict, repr=False)

    def tag(self, tag: str) -> int:
        """The index of a tag."""
        return self._index(self.tags, tag, "tag")

    def set(self, values: tuple[str, ...]) -> int:
        """The index of a set of values."""
        return self._index(self.sets, values, "set")

    def string(self, text: str) -> int:
        """The index of a string."""
        return self._index(self.strings, text, "string")

    def _index(self, pool: list[Any], value: Any, kind: str) -> int:
        key = (kind, value)
        if key not in self._known:
            self._known[key] = len(pool)
            pool.append(value)
        return self._known[key]

    def size(self) -> int:
        """Bytes of the pools: 4 a tag, each different string once with its end, 2 for each use and 2 a set."""
        texts = {value for values in self.sets for value in values} | set(self.strings)
        return (
            4 * len(self.tags)
            + sum(len(text.encode()) + 1 for text in texts)
            + 2 * sum(len(values) + 1 for values in self.sets)
            + 2 * len(self.strings)
        )


def parts_of_scope(scope: str) -> tuple[str, tuple[str, ...]]:
    """A scope's base and its sequences: ``./00540220`` is ``.`` and one."""
    if scope in BASES:
        return scope, ()
    steps = scope.split("/")
    sequences = [step for step in steps if step not in ("", ".", "..", "^", "@")]
    base = scope[: len(scope) - len("/".join(sequences))]
    base = base.rstrip("/") or "/"
    return base, tuple(sequences)


def _scoped(operator: str, scope: str, pool: Pool) -> bytes:
    base, sequences = parts_of_scope(scope)
    number = OPERATORS.index(operator)
    if not sequences:
        return bytes([number | BASES.index(base) << 5])
    if len(sequences) > MOST_STEPS:
        raise ValueError(f"{scope} is deeper than {MOST_STEPS} sequences")
    found = bytes([number | THROUGH_SEQUENCES << 5, len(sequences) | BASES.index(base) << 5])
    return found + b"".join(_uint16(pool.tag(one)) for one in sequences)


def _uint16(value: int) -> bytes:
    return struct.pack("<H", value)


def _related(relation: str, number: int) -> bytes:
    index = RELATIONS.index(relation)
    if 0 <= number <= 255:
        return bytes([index + SHORT, number])
    return bytes([index]) + struct.pack("<i", number)


def encode(tree: Tree, pool: Pool) -> bytes:
    """The code of a tree; what it refers to is added to the pool."""
    kind = tree[0]
    if kind in ("and", "or", "xor"):
        found = b"".join(encode(part, pool) for part in tree[1:])
        return found + bytes([OPERATORS.index(kind), len(tree) - 1])
    if kind == "not":
        return encode(tree[1], pool) + bytes([OPERATORS.index("not")])
    if kind in ("?", "true", "false"):
        return bytes([OPERATORS.index(kind)])
    if kind == "place":
        return struct.pack("<Bb", OPERATORS.index(kind), tree[1])
    if kind == "module":
        return bytes([OPERATORS.index(kind)]) + _uint16(pool.string(tree[1]))
    head = _scoped(kind, tree[1], pool)
    if kind == "wide":
        return head
    head += _uint16(pool.tag(tree[2]))
    if kind in ("has", "odd"):
        return head
    if kind == "code":
        return head + _uint16(pool.set(tuple("|".join(code) for code in tree[3])))
    if kind == "items":
        return head + _related(tree[3], tree[4])
    head += bytes([tree[3]])
    if kind == "val":
        return head
    if kind == "cmp":
        return head + _related(tree[4], tree[5])
    return head + _uint16(pool.tag(tree[4]) if kind == "tag" else pool.set(tree[4]))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def uint16(self) -> int:
        self.at += 2
        return int.from_bytes(self.data[self.at - 2 : self.at], "little")

    def related(self) -> tuple[str, int]:
        relation = self.byte()
        if relation >= SHORT:
            return RELATIONS[relation - SHORT], self.byte()
        self.at += 4
        return RELATIONS[relation], int.from_bytes(self.data[self.at - 4 : self.at], "little", signed=True)


def decode(data: bytes, pool: Pool) -> Tree:
    """The tree of a code."""
    reader = _Reader(data)
    stack: list[Tree] = []
    while reader.at < len(data):
        first = reader.byte()
        kind, base = OPERATORS[first & 31], first >> 5
        if kind in ("and", "or", "xor", "not"):
            count = 1 if kind == "not" else reader.byte()
            stack[len(stack) - count :] = [(kind, *stack[len(stack) - count :])]
        elif kind in ("?", "true", "false"):
            stack.append((kind,))
        elif kind == "place":
            value = reader.byte()
            stack.append((kind, value - 256 if value > 127 else value))
        elif kind == "module":
            stack.append((kind, pool.strings[reader.uint16()]))
        else:
            stack.append(_decode_test(kind, base, reader, pool))
    (tree,) = stack
    return tree


def _decode_test(kind: str, base: int, reader: _Reader, pool: Pool) -> Tree:
    if base == THROUGH_SEQUENCES:
        second = reader.byte()
        name = BASES[second >> 5]
        sequences = [pool.tags[reader.uint16()] for _ in range(second & 31)]
        scope = ("" if name == "/" else name) + "".join(f"/{one}" for one in sequences)
    else:
        scope = BASES[base]
    if kind == "wide":
        return (kind, scope)
    tag = pool.tags[reader.uint16()]
    if kind in ("has", "odd"):
        return (kind, scope, tag)
    if kind == "code":
        return (kind, scope, tag, tuple(tuple(one.split("|")) for one in pool.sets[reader.uint16()]))
    if kind == "items":
        return (kind, scope, tag, *reader.related())
    n = reader.byte()
    if kind == "val":
        return (kind, scope, tag, n)
    if kind == "cmp":
        return (kind, scope, tag, n, *reader.related())
    index = reader.uint16()
    return (kind, scope, tag, n, pool.tags[index] if kind == "tag" else pool.sets[index])


def encode_condition(condition: Condition, pool: Pool) -> bytes:
    """The code of a condition."""
    codes = [encode(tree, pool) for tree in condition.trees()]
    long = any(len(code) > 255 for code in codes)
    flags = OTHERWISE.index(condition.otherwise)
    flags |= (condition.permitted is not None) << 2 | (condition.forbidden is not None) << 3 | long * LONG_LENGTHS
    return bytes([flags]) + b"".join(len(code).to_bytes(1 + long, "little") + code for code in codes)


def decode_condition(data: bytes, pool: Pool) -> Condition:
    """The condition of a code."""
    flags, at = data[0], 1
    width = 2 if flags & LONG_LENGTHS else 1
    trees = []
    while at < len(data):
        size = int.from_bytes(data[at : at + width], "little")
        at += width
        trees.append(decode(data[at : at + size], pool))
        at += size
    required, *others = trees
    permitted = others.pop(0) if flags & 4 else None
    forbidden = others.pop(0) if flags & 8 else None
    return Condition(required, OTHERWISE[flags & 3], permitted, forbidden)
