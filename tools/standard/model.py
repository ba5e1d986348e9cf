"""PS3.3 as plain objects: what the readers give and the headers are written from. Macros stay macros."""

from __future__ import annotations

from dataclasses import dataclass, field

TYPES = ("", "1", "1C", "2", "2C", "3")
GROUPS = "@groups"
"""In place of a module's id: the functional groups of the IOD that the module belongs to."""


@dataclass(frozen=True)
class ValueSet:
    """Values that an attribute may have: strings, numbers, tags (8 digits) or the numbers of bits; or a range, the
    fewest and the most (0: any number)."""

    form: str  # "string", "number", "tag", "bits" or "range"
    values: tuple[str | int, ...]


@dataclass(frozen=True)
class Binding:
    """A value set as an attribute uses it."""

    # E enumerated values, D defined terms, B enumerated numbers, T tags, M bits, Z not zero (z: should not be), N how
    # many values, C a context group of codes (c: as a baseline).
    kind: str
    values: ValueSet
    number: int  # of the value that it is about, 0: each
    condition: str | None  # name of the condition under which it holds, in the source of the value sets
    edition: str


@dataclass(frozen=True)
class Row:
    """A row of a module's table: an attribute, an include of another table, or attributes that it leaves open."""

    depth: int
    tag: str | None  # 8 digits, x for those of repeating groups; None: no attribute
    keyword: str = ""
    type: str = ""
    items: str | None = None  # "1", "0-1", "1-n", or "=" and the tag that tells how many
    include: str | None = None  # a module's id, or GROUPS
    condition: str | None = None
    origin: tuple[str, int] | None = None  # module id and row number in the source
    bindings: tuple[Binding, ...] = ()


@dataclass(frozen=True)
class Refinement:
    """What a module says of an attribute that one of its includes brings, or an IOD of one that its modules bring."""

    path: tuple[str, ...]  # tags, from the module's own level or the root on
    type: str = ""  # in place of the attribute's own; empty: that stays
    condition: str | None = None
    origin: tuple[str, int] | None = None
    bindings: tuple[Binding, ...] = ()


@dataclass
class Module:
    """A table of attributes: a module or a macro."""

    id: str  # the table's number, such as C.7-11a
    name: str
    kind: str  # "module", "macro" or "other"
    clause: str  # such as C.7.6.3; empty if the source does not say
    rows: list[Row] = field(default_factory=list)
    refinements: list[Refinement] = field(default_factory=list)


@dataclass(frozen=True)
class Usage:
    """A module in an IOD, or a macro among its functional groups, whose `ie` is "multi" or "current"."""

    ie: str
    name: str
    module: str
    usage: str  # M, C or U
    condition: str | None


@dataclass
class Iod:
    key: str  # such as ct-image
    name: str
    usages: list[Usage] = field(default_factory=list)
    groups: list[Usage] = field(default_factory=list)
    refinements: list[Refinement] = field(default_factory=list)


@dataclass
class Standard:
    """All of it, by module id, IOD key and SOP class UID."""

    modules: dict[str, Module]
    iods: dict[str, Iod]
    sop_classes: dict[str, tuple[str, str]]  # UID: name, IOD key
