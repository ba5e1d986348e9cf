"""IODs, their modules and attributes, as views of the native tables (PS3.3 2026b).

The tables keep macros as macros; here they are expanded, so that every attribute has its whole path. The
classes are tuples, and this file's annotations are evaluated, as both save milliseconds of the import.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from dicomcore._native.rules import tables as _tables
from dicomcore.dictionary import keyword_for_tag
from dicomcore.tags import Tag
from dicomcore.uids import UID

if TYPE_CHECKING:
    # A table that is being walked through: its number, the sequences around its own level, its refinements by path.
    _Entered = tuple[int, int, dict[tuple[int, ...], list[_tables.Refinement]]]

EDITION = "2026b"
"""The edition of PS3.3 that the tables have."""

_KINDS = {
    "E": "enumerated", "B": "enumerated", "T": "enumerated", "D": "defined", "M": "bits", "Z": "nonzero",
    "z": "nonzero", "N": "count", "C": "DCID", "c": "BCID",
}  # fmt: skip
_EDITIONS = ("2024", "2016", "2008")


class Values(NamedTuple):
    """Values that an attribute may have.

    `kind` is ``"enumerated"`` where no others are allowed, ``"defined"`` for defined terms, which may be extended,
    ``"bits"`` for the numbers of bits that have a meaning, ``"nonzero"`` for a number that must not be zero,
    ``"count"`` for the fewest and the most values, 0 for any number of them, ``"DCID"`` and ``"BCID"`` for the numbers
    of context groups, defined and baseline, one of which has the codes of a sequence. `values` are strings, numbers, or
    tags. They are about the value with a `number` from 1 on, 0: about each. `conditional` sets hold only in some cases.
    What an attribute lists holds each for itself, but the last of its context groups replaces the others. `edition` is
    the year of the source.
    """

    kind: str
    values: tuple[str, ...] | tuple[int, ...] | tuple[Tag, ...]
    number: int
    conditional: bool
    edition: str


class Attribute(NamedTuple):
    """An attribute at its place in an object.

    `path` are the tags of the sequences around it and its own; an element of a repeating group has the tag of the first
    such group. `type` is ``"1"``, ``"1C"``, ``"2"``, ``"2C"`` or ``"3"``. `module` is the name of the module that asks
    for it, `macro` that of the macro whose table lists it, empty if it is the module's own. `items` are the fewest and
    the most items of a sequence, None for any number of them.
    """

    path: tuple[Tag, ...]
    keyword: str
    type: str
    module: str
    macro: str
    items: tuple[int, int | None]
    values: tuple[Values, ...]

    @property
    def tag(self) -> Tag:
        """The attribute's own tag, the last of the path."""
        return self.path[-1]


class Module(NamedTuple):
    """A module as an IOD has it, or a macro among its functional groups.

    `usage` is ``"M"`` for mandatory, ``"C"`` for conditional, ``"U"`` for the user's choice; `ie` the information
    entity, empty for a macro; `clause` where PS3.3 has it (``"C.7.6.3"``, empty if not known), `table` the number of
    its table there (``"C.7-11a"``). The module of multi-frame functional groups has their macros in
    `functional_groups`.
    """

    name: str
    usage: str
    ie: str
    clause: str
    table: str
    functional_groups: tuple["Module", ...] = ()

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """Every attribute, in the order of the table, with its path from the root of the object.

        Macros are expanded; one that includes itself is not entered again. The path of a functional group's attribute
        begins in the group itself if the macro is asked, in the shared groups and in each frame's if the module is.
        """
        numbers = _numbers()
        groups = tuple(numbers[macro.table] for macro in self.functional_groups)
        found: dict[tuple[int, ...], Attribute] = {}
        _expand(self.name, numbers[self.table], groups, [], [], found)
        return tuple(found.values())


class Iod(NamedTuple):
    """The information object definition of a SOP class."""

    name: str
    sop_class: UID
    modules: tuple[Module, ...]

    @property
    def attributes(self) -> Iterator[Attribute]:
        """The attributes of all modules, module by module: one that two modules list comes twice.

        Those of functional groups come both in the shared groups and in those of each frame. Values that the IOD asks
        for, and not a module, are here alone.
        """
        refined = {
            tuple(map(_tag, path)): _uses(first, count)
            for path, _, first, count, _ in _tables.iod(_tables.find(self.sop_class))[3]
        }
        for module in self.modules:
            for attribute in module.attributes:
                more = refined.get(attribute.path)
                yield attribute._replace(values=attribute.values + more) if more else attribute


def describe(sop_class: str) -> Iod:
    """The IOD of a SOP class.

    Parameters
    ----------
    sop_class : str
        Its UID, such as a data set's ``SOPClassUID``, or its name or keyword in PS3.6: ``"CT Image Storage"``,
        ``"CTImageStorage"``.

    Raises
    ------
    KeyError
        No storage SOP class of PS3.4 has this UID or name.
    """
    row = _tables.find(sop_class.strip(" \0"))
    if row < 0:
        row = _names().get(_squashed(sop_class), -1)
    if row < 0:
        raise KeyError(f"{sop_class!r} is no storage SOP class of PS3.4 {EDITION}")
    name, usages, groups, _ = _tables.iod(row)
    macros = tuple(_module(number, usage, "") for number, _, usage, _ in groups)
    modules = tuple(_module(number, usage, ie, macros) for number, ie, usage, _ in usages)
    return Iod(name, UID(_tables.sop_class(row)[0]), modules)


def sop_classes() -> dict[UID, str]:
    """The names of the SOP classes that `describe` knows, by UID."""
    return {UID(uid): name for uid, name in _tables.sop_classes()}


def _module(number: int, usage: str, ie: str, macros: tuple[Module, ...] = ()) -> Module:
    name, clause, table = _tables.module(number)
    has_groups = bool(macros) and any(target == -1 for _, _, target, *_ in _rows(number))
    return Module(name, usage, ie, clause, table, macros if has_groups else ())


@cache
def _numbers() -> dict[str, int]:
    """Numbers of modules and macros by that of their table in PS3.3."""
    return {_tables.module(number)[2]: number for number in range(_tables.counts()["modules"])}


@cache
def _names() -> dict[str, int]:
    """Rows of SOP classes by their names without spaces and punctuation, which keywords don't have. Some names in PS3.4
    are not those in PS3.6."""
    return {
        _squashed(known): row
        for row, (uid, name) in enumerate(_tables.sop_classes())
        for known in (name, UID(uid).name, UID(uid).keyword)
        if known
    }


def _squashed(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _expand(
    module: str,
    number: int,
    groups: tuple[int, ...],
    path: list[int],
    entered: list["_Entered"],
    found: dict[tuple[int, ...], Attribute],
) -> None:
    """Add the attributes of a table and of what it includes, below the sequences of `path`; a table that is being
    walked through is not entered again."""
    if any(one[0] == number for one in entered):
        return
    base = len(path)
    macro = _name(number) if entered else ""
    entered.append((number, base, _refinements(number)))
    for depth, tag, target, kind, items, first, count, _ in _rows(number):
        if tag is not None:
            path[base + depth :] = [tag]
            place = tuple(path)
            if place not in found:  # else a macro that is included twice at one level
                kind, values = _refined(place, kind, _uses(first, count), entered)
                found[place] = Attribute(
                    tuple(map(_tag, path)), _keyword(tag), kind, module, macro, _items(items), values
                )
        elif target is not None:
            # A row may go on inside a sequence that an include has opened, so the path is not cut back behind it.
            for included in groups if target < 0 else (target,):
                del path[base + depth :]
                _expand(module, included, groups, path, entered, found)
    entered.pop()


def _refined(
    place: tuple[int, ...], kind: str, values: tuple[Values, ...], entered: list["_Entered"]
) -> tuple[str, tuple[Values, ...]]:
    """Type and values of an attribute, as the tables around it refine them; the outermost has the last word."""
    for _, depth, refinements in reversed(entered):
        if refinements:
            for _, refined, first, count, _ in refinements.get(place[depth:], ()):
                kind = refined or kind
                values += _uses(first, count)
    return kind, values


@cache
def _name(number: int) -> str:
    return _tables.module(number)[0]


@cache
def _rows(number: int) -> list["_tables.Row"]:
    return _tables.rows(number)


@cache
def _refinements(number: int) -> dict[tuple[int, ...], list["_tables.Refinement"]]:
    found: dict[tuple[int, ...], list[_tables.Refinement]] = {}
    for one in _tables.refinements(number):
        found.setdefault(one[0], []).append(one)
    return found


@cache
def _uses(first: int, count: int) -> tuple[Values, ...]:
    return tuple(_use(number) for number in range(first, first + count))


def _use(number: int) -> Values:
    kind, value, values, edition, conditional, _ = _tables.use(number)
    members = tuple(map(Tag, values)) if kind == "T" else values
    return Values(_KINDS[kind], members, value, conditional, _EDITIONS[edition])


@cache
def _items(number: int) -> tuple[int, int | None]:
    _, least, most = _tables.items(number)
    return least, most or None


@cache
def _keyword(tag: int) -> str:
    return keyword_for_tag(_tag(tag)) or _tables.keyword(tag)


@cache
def _tag(tag: int) -> Tag:
    """The tag of the tables, which have an F for each x of a repeating group, as that of the first such group."""
    return Tag(tag & 0xFF00FFFF if tag >> 16 & 0xFF == 0xFF else tag)
