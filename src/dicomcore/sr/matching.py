"""Content trees matched with templates (PS3.16 6).

Items with equal subtrees are one kind, and a kind is matched once with each level of a template that it comes to, so
that a thousand like events cost little more than one. Nothing recurses on the content: `Matcher.run` has a stack of the
items that wait for those below them.
"""

from collections.abc import Generator
from typing import Any, NamedTuple

from dicomcore.errors import LimitError
from dicomcore.sr.findings import CODES
from dicomcore.sr.levels import MANDATORY, MANDATORY_IF, ONLY_IF, Group, Level, Range, Slot, Tree, level_of, looks_up
from dicomcore.sr.template_views import RELATIONSHIPS, VALUE_TYPES

MOST_FOUND = 1000
"""Findings of one document that are kept; the others are counted."""
FEWEST_MATCHES, MATCHES_PER_KIND = 100_000, 20
"""Matches of kinds of items with levels before LimitError is raised: real documents need one or two for each kind."""

CODE = 8
TYPES = {name: number for number, name in enumerate(VALUE_TYPES)}
RELATIONSHIP_NUMBERS = {name: number for number, name in enumerate(RELATIONSHIPS)}
COSTS = {"error": 10_000, "warning": 100, "note": 1}
EXACT, MEMBER, ANY, OUTSIDE = 4, 3, 2, 1  # how well a concept fits

Kind = tuple[int, int, bool, int, int, int, tuple[int, ...]]
"""Value type, relationship, by reference, concept, value, template, kinds of the children: see the native module."""

Asked = tuple[tuple[Range, ...], int, int, int]
"""Rows, a kind whose children are matched with them, and the kinds of the two items around it (-1: none)."""


class Found(NamedTuple):
    """A finding before it has words: its place below the item that was matched, and what it is about."""

    place: tuple[int, ...]
    code: str
    slot: Slot
    kind: int  # of the item concerned, -1 if it is missing
    held: int = 0  # items that the slot has
    times: int = 1  # like findings below one item are one, with the place of the first


class Result(NamedTuple):
    """What came of a match; `cost` is less for a better one."""

    cost: int
    found: tuple[Found, ...]
    cut: int
    undecided: int


VALUE_FAULTS = {
    "in": "",
    "extends": "",
    "out": "ROW_VALUE_NOT_DEFINED",
    "baseline": "ROW_VALUE_NOT_BASELINE",
    "unknown": "ROW_VALUE_UNKNOWN",
}
NOTHING = Result(0, (), 0, 0)
LOOK = "look below"
"""In the place of a fault: the item is not alone."""
Work = Generator[Asked, Result, Result]


class Matcher:
    """Matches the kinds of one document."""

    def __init__(self, kinds: list[Kind], groups: Any, templates: list[str], codes: list[tuple[str, str, str]]) -> None:
        self.kinds = kinds
        self.templates = templates  # that items name
        self.codes = codes  # those that the tables do not have; graphic types are among them
        self.groups = groups  # the native tables of context groups
        self.known: dict[Asked, Result] = {}
        self.members: dict[tuple[Tree, int], int] = {}
        self.anywhere: dict[Tree, bool | None] = {}
        self.chosen: dict[tuple[int, int], tuple[list[int], str]] = {}
        self.above: dict[int, bool] = {}
        self.passed: dict[int, set[int]] = {}
        self.by_type: dict[str, list[int]] = {}

    def run(self, asked: Asked) -> Result:
        """Match the children of a kind with rows."""
        known = self.known
        most = max(FEWEST_MATCHES, MATCHES_PER_KIND * len(self.kinds))
        stack: list[tuple[Asked, Work]] = [(asked, self.children(asked))]
        result: Result | None = None
        while stack:
            key, work = stack[-1]
            try:
                wanted = next(work) if result is None else work.send(result)
            except StopIteration as stop:
                result = known[key] = stop.value
                stack.pop()
                continue
            result = known.get(wanted)
            if result is None:
                if len(known) > most:
                    raise LimitError(f"more than {most} matches of content items with templates")
                stack.append((wanted, self.children(wanted)))
        assert result is not None
        return result

    def children(self, asked: Asked) -> Work:
        """Give each child the slot that suits it best, then look what is missing and what is too much."""
        ranges, parent, above, _ = asked
        level = level_of(ranges)
        inside = self.kinds[parent][6]
        found: list[Found] = []
        below_found: dict[tuple[str, int, int], Found] = {}
        counts = [0] * len(level.slots)
        lost: list[tuple[int, int]] = []
        cost = cut = undecided = 0
        chosen_here = self.chosen
        for place, kind in enumerate(inside, 1):
            known_choice = chosen_here.get((id(level), kind))
            if known_choice is None:
                known_choice = chosen_here[id(level), kind] = self.choice(level, kind)
            choices, plain_fault = known_choice
            if not choices:
                lost.append((place, kind))
                continue
            if plain_fault is not LOOK:  # one row, and nothing below the item
                counts[choices[0]] += 1
                if plain_fault:
                    found.append(Found((place,), plain_fault, level.slots[choices[0]], kind))
                continue
            best, chosen, below = -1, NOTHING, -1
            for number in choices:
                slot = level.slots[number]
                result = NOTHING
                if slot.below and not slot.by_reference:
                    asks_above = self.above.get(id(slot.below))
                    if asks_above is None:
                        asks_above = self.above[id(slot.below)] = looks_up(slot.below)
                    result = yield (slot.below, kind, parent, above) if asks_above else (slot.below, kind, -1, -1)
                elif self.kinds[kind][6]:
                    result = Result(len(self.kinds[kind][6]), (), 0, 0)
                price = result.cost
                if len(choices) > 1:
                    price += self.price(level, slot, counts[number], kind, asked)
                if best < 0 or price < below:
                    best, chosen, below = number, result, price
            counts[best] += 1
            code = self.value_fault(level.slots[best], kind)
            if code:
                found.append(Found((place,), code, level.slots[best], kind))
            for one in chosen.found:
                key = one.code, id(one.slot), one.kind
                known = below_found.get(key)
                if known is not None:
                    below_found[key] = known._replace(times=known.times + one.times)
                elif len(below_found) < MOST_FOUND:
                    below_found[key] = one._replace(place=(place, *one.place))
                else:
                    cut += one.times
            cut += chosen.cut
            cost += chosen.cost
            undecided += chosen.undecided
        for place, kind in lost:
            found.append(self.misplaced(level, counts, place, kind))
        if level.is_open:  # rows that are not known may allow the items that fit no other
            found = [one for one in found if one.code != "NOT_IN_TEMPLATE"]
        unknown = self.requirements(level, counts, asked, found)
        cost += sum(COSTS[CODES[one.code]] for one in found)
        return Result(cost, (*found[:MOST_FOUND], *below_found.values()), cut, undecided + unknown)

    # -- one item and one slot

    def choice(self, level: Level, kind: int) -> tuple[list[int], str]:
        """The slots that fit an item best; and the fault of its value if that is all there is to ask of it."""
        choices = self.choices(level, kind)
        if len(choices) != 1 or self.kinds[kind][6]:
            return choices, LOOK
        slot = level.slots[choices[0]]
        if slot.below and not slot.by_reference:
            return choices, LOOK
        return choices, self.value_fault(slot, kind)

    def choices(self, level: Level, kind: int) -> list[int]:
        """The slots that fit an item best; several if they fit equally well, and the item does not name a template."""
        value_type, relationship, refers, concept, _, template, _ = self.kinds[kind]
        best, found = 0, []
        for number in level.named.get(concept, ()):
            slot = level.slots[number]
            if slot.value_type == value_type and slot.relationship in (0, relationship) and slot.by_reference == refers:
                best = EXACT
                found.append(number)
        if best == EXACT:
            if template >= 0 and len(found) > 1:
                name = self.templates[template].strip()
                return [number for number in found if level.slots[number].template == name] or found
            return found
        for number in level.generic:
            slot = level.slots[number]
            if (
                slot.value_type != value_type
                or slot.relationship not in (0, relationship)
                or slot.by_reference != refers
            ):
                continue
            fits = self.fit(slot.concept, concept)
            if fits > best:
                best, found = fits, [number]
            elif fits == best and fits:
                found.append(number)
        if best == OUTSIDE and concept in level.named:
            return []  # a row names the concept, and would have the item if it were right
        return found

    def fit(self, wanted: Tree, concept: int) -> int:
        """How well a concept fits: it is the one named, a member of a group, any, or outside a group that allows it."""
        if wanted is None:
            return ANY
        kind = wanted[0]
        if kind == "C":
            return EXACT if wanted[1] == concept else 0
        if kind == "|":
            return max(self.fit(part, concept) for part in wanted[1:])
        if concept == -1:
            return 0
        state = self.state(wanted, concept)
        if state == "in":
            return MEMBER
        return 0 if state == "out" else OUTSIDE

    def state(self, choice: Tree, code: int) -> str:
        """Whether a code is "in" groups, "out" where no other is allowed, or else "extends", "baseline", "unknown"."""
        key = choice, code
        found = self.members.get(key)
        if found is None:
            found = self.members[key] = self._state(choice, code)
        return found  # type: ignore[return-value]

    def _state(self, choice: Tree, code: int) -> Any:
        rows = [row for row in map(self.groups.find_context, choice[1:]) if row >= 0]
        facts = [self.groups.context(row) for row in rows]
        if not rows or any(fact[5] == 0 for fact in facts):
            return "extends"  # no members are known
        if code >= 0 and any(self.groups.contains_code(row, code) for row in rows):
            return "in"
        flags = {fact[4] for fact in facts}
        if choice[0] == "B":
            return "baseline"
        return "extends" if "E" in flags else "unknown" if "?" in flags else "out"

    def value_fault(self, slot: Slot, kind: int) -> str:
        """The code of the finding about an item's value or unit, "" if there is none."""
        wanted, value = slot.value, self.kinds[kind][4]
        if wanted is None or value == -1 or slot.by_reference:
            return ""
        if wanted[0] == "C":
            return "" if wanted[1] == value else "ROW_VALUE"
        if wanted[0] == "|":
            return "" if any(part[0] != "C" or part[1] == value for part in wanted[1:]) else "ROW_VALUE"
        if wanted[0] in ("D", "B"):
            return VALUE_FAULTS[self.state(wanted, value)]
        return "ROW_GRAPHIC_TYPE" if wanted[0] == "G" and not self.is_drawn(wanted[1], value) else ""

    def is_drawn(self, types: str, value: int) -> bool:
        """Whether a graphic type is one of some, such as ``"POLYLINE_CIRCLE"`` or ``"NOT_MULTIPOINT"``."""
        drawn = self.codes[-2 - value][1]
        named = types.split("_")
        return (drawn in named) is (named[0] != "NOT")

    def price(self, level: Level, slot: Slot, count: int, kind: int, asked: Asked) -> int:
        """What speaks against a slot, beside what is below the item."""
        price = 0
        code = self.value_fault(slot, kind)
        if code:
            price += COSTS[CODES[code]]
        if slot.most and count >= slot.most:
            price += COSTS["error"]
        price += self.unmet(slot, asked)
        group = slot.group
        while group >= 0:
            price += self.unmet(level.groups[group], asked)
            group = level.groups[group].above
        return price

    def unmet(self, row: Slot | Group, asked: Asked) -> int:
        """What a condition that is not met speaks against a row or an include."""
        if row.condition is None or self.holds(row.condition, asked) is not False:
            return 0
        return COSTS["warning" if row.may_be_otherwise else "error"]

    def misplaced(self, level: Level, counts: list[int], place: int, kind: int) -> Found:
        """The finding about an item that fits no slot: its value type or relationship is wrong, or it is an extra."""
        value_type, relationship, refers, concept, _, _, _ = self.kinds[kind]
        for number in level.named.get(concept, ()):
            slot = level.slots[number]
            if counts[number] or slot.by_reference != refers:
                continue
            if slot.value_type == value_type:
                counts[number] += 1
                return Found((place,), "ROW_RELATIONSHIP", slot, kind)
            if slot.relationship in (0, relationship):
                counts[number] += 1
                return Found((place,), "ROW_VALUE_TYPE", slot, kind)
        return Found((place,), "NOT_IN_TEMPLATE", level.other, kind)

    # -- what is missing or too much

    def requirements(self, level: Level, counts: list[int], asked: Asked, found: list[Found]) -> int:
        """Add what is wrong with the number of items of each slot; give how many conditions are not known."""
        active = self.active(level, counts, asked)
        shut = self.shut(level, asked)
        undecided = 0
        for slot, count, twins in zip(level.slots, counts, level.twins, strict=True):
            code = ""
            found_elsewhere = not count and any(counts[twin] for twin in twins)
            if slot.group in shut:
                code = "ROW_NOT_ALLOWED" if count else ""
            elif slot.most and count > slot.most:
                code = "ROW_TOO_OFTEN"
            elif 0 < count < slot.least:
                code = "ROW_TOO_FEW"
            elif slot.requirement == MANDATORY:
                if not count and not found_elsewhere and (slot.group < 0 or active[slot.group]):
                    code = "ROW_MISSING"
            elif slot.requirement in (MANDATORY_IF, ONLY_IF) and (slot.group < 0 or active[slot.group]):
                holds = self.holds(slot.condition, asked)
                if holds is None:
                    undecided += 1
                elif holds and not count and not found_elsewhere and slot.requirement == MANDATORY_IF:
                    code = "ROW_MISSING"
                elif not holds and count and not slot.may_be_otherwise:
                    code = "ROW_NOT_ALLOWED"
            if code:
                found.append(Found((), code, slot, -1, count))
        return undecided

    def shut(self, level: Level, asked: Asked) -> set[int]:
        """The includes that may have no items, as their condition, or that of one around them, is not met."""
        found: set[int] = set()
        for number, one in enumerate(level.groups):
            is_conditional = one.requirement in (MANDATORY_IF, ONLY_IF) and not one.may_be_otherwise
            if one.above in found or (is_conditional and self.holds(one.condition, asked) is False):
                found.add(number)
        return found

    def active(self, level: Level, counts: list[int], asked: Asked) -> list[bool]:
        """Whether each include has items, or must have some."""
        if not level.groups:
            return []
        present = [False] * len(level.groups)
        for slot, count in zip(level.slots, counts, strict=True):
            group = slot.group if count else -1
            while group >= 0 and not present[group]:
                present[group] = True
                group = level.groups[group].above
        for number, one in enumerate(level.groups):  # an include comes before those inside it
            if present[number] or (one.above >= 0 and not present[one.above]):
                continue
            present[number] = one.requirement == MANDATORY or (
                one.requirement == MANDATORY_IF and self.holds(one.condition, asked) is True
            )
        return present

    # -- conditions

    def holds(self, tree: Tree, asked: Asked) -> bool | None:
        """Whether a condition is true; None if that can't be told."""
        if tree is None or tree[0] == "open":
            return None
        if tree[0] == "count":
            return self.counted(tree, asked)
        if tree[0] == "not":
            inner = self.holds(tree[1], asked)
            return None if inner is None else not inner
        parts = [self.holds(part, asked) for part in tree[1:]]
        decisive = tree[0] == "or"
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive

    def counted(self, tree: Tree, asked: Asked) -> bool:
        _, where, steps, operator, number = tree
        _, parent, above, over = asked
        if where == "//":
            known = self.anywhere.get(tree)
            if known is None:
                known = self.anywhere[tree] = compared(
                    self.count(tuple(range(len(self.kinds))), steps), operator, number
                )
            return known
        if where == ".":
            kinds: tuple[int, ...] = self.kinds[parent][6]
        elif where == "..":
            alone = steps[0][0] == "SELF" or self.kinds[parent][0] == CODE or above < 0
            kinds = (parent,) if alone else self.kinds[above][6]
        else:
            kinds = self.kinds[over][6] if over >= 0 else ()
        if len(steps) == 1 and number == 0 and operator in (">", "==") and steps[0][0] != "SELF":
            return self.passing(steps[0]).isdisjoint(kinds) is (operator == "==")
        return compared(self.count(kinds, steps), operator, number)

    def passing(self, step: Tree) -> set[int]:
        """The kinds that pass a step."""
        found = self.passed.get(id(step))
        if found is None:
            name = step[0]
            if not self.by_type:
                for kind, (value_type, _, refers, _, _, _, _) in enumerate(self.kinds):
                    self.by_type.setdefault("REFERENCE" if refers else VALUE_TYPES[value_type], []).append(kind)
            found = {kind for kind in self.by_type.get(name, ()) if self.passes(step, kind)}
            self.passed[id(step)] = found
        return found

    def count(self, kinds: tuple[int, ...], steps: Tree) -> int:
        """How many of these items, or of those below them, pass all steps."""
        for number, step in enumerate(steps):
            kinds = tuple(kind for kind in kinds if self.passes(step, kind))
            if number < len(steps) - 1:
                kinds = tuple(inner for kind in kinds for inner in self.kinds[kind][6])
        return len(kinds)

    def passes(self, step: Tree, kind: int) -> bool:
        value_type, _, refers, _, _, _, _ = self.kinds[kind]
        name = step[0]
        fits = refers if name == "REFERENCE" else name == "SELF" or (not refers and TYPES[name] == value_type)
        return fits and (len(step) < 2 or self.test(step[1], kind))

    def test(self, tree: Tree, kind: int) -> bool:
        name = tree[0]
        if name == "and":
            return all(self.test(part, kind) for part in tree[1:])
        if name == "or":
            return any(self.test(part, kind) for part in tree[1:])
        if name == "not":
            return not self.test(tree[1], kind)
        if name == "rel":
            return RELATIONSHIP_NUMBERS[tree[1]] == self.kinds[kind][1]
        _, _, _, concept, value, _, _ = self.kinds[kind]
        code = concept if name == "concept" else value
        wanted = tree[1]
        return wanted[1] == code if wanted[0] == "C" else self.state(wanted, code) == "in"


def compared(count: int, operator: str, number: int) -> bool:
    if operator == "==":
        return count == number
    return count > number if operator == ">" else count >= number if operator == ">=" else count < number
