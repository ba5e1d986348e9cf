"""Plans: the levels of an IOD's data sets, compiled once from the tables of PS3.3."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free

from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.check.condition_code cimport tags_with_values
from dicomcore._native.rules import tables as _tables
from dicomcore._native.rules.tables cimport rules, rules_t

from operator import itemgetter

cdef dict TYPES = {"": 0, "1": 1, "1C": 2, "2": 3, "2C": 4, "3": 5}
cdef dict WEAKER = {            # modules that put their type of an attribute in place of that of another module
    ("SC Equipment", 0x00080060): "General Series",             # C.8.6.1: Modality
    ("SC Multi-frame Image", 0x00280009): "Multi-frame",        # C.8.6.3: Frame Increment Pointer
}
cdef dict plans = {}            # by row of the SOP class; a plan is complete before it is entered


cdef class Plan:
    def __dealloc__(self):
        free(self.slots)
        free(self.claims)
        free(self.levels)
        free(self.needed)
        free(self.modules)
        free(self.usages)
        free(self.conditions)
        free(self.looked)


cdef void* room(Py_ssize_t count, Py_ssize_t size) except NULL:
    cdef void* memory = calloc(max(count, <Py_ssize_t>1), size)
    if memory == NULL:
        raise MemoryError
    return memory


cdef Plan plan_for(int sop_class):
    """The plan of the SOP class in a row of the tables."""
    plan = plans.get(sop_class)
    if plan is None:
        plan = plans.setdefault(sop_class, compiled(sop_class))
    return plan


def size_of(int sop_class):
    """(levels, attributes, statements about attributes) of a plan."""
    plan = plan_for(sop_class)
    return plan.level_total, plan.slot_total, plan.claim_total


def _refinements(module):
    return [(path, tuple(one)) for path, *one in _tables.refinements(module)]


class _Compiler:
    """The levels of one IOD.

    A level is made of segments: rows [start, stop) of a module's table from `depth` on, for a usage, with refinements
    whose paths begin at this level, and the condition of the include that brought them. Equal segments make the same
    level.
    """

    def __init__(self, usages, groups):
        self.usages, self.groups = usages, groups
        self.numbers = {}           # levels by segments
        self.waiting = []           # segments of levels to be made, in the order of their numbers
        self.rows = {}

    def number_of(self, segments):
        number = self.numbers.get(segments)
        if number is None:
            number = self.numbers[segments] = len(self.numbers)
            self.waiting.append(segments)
        return number

    def rows_of(self, module):
        rows = self.rows.get(module)
        if rows is None:
            rows = self.rows[module] = _tables.rows(module)
        return rows

    def whole(self, usage, module, context=(), guard=0):
        own = tuple(_refinements(module))
        return usage, module, 0, len(self.rows_of(module)), 0, (*context, *own), guard

    def level(self, segments):
        """({tag: (claims, segments of its items)}, whether functional groups are in it)."""
        found, grouped = {}, [False]
        last = {}                   # the attribute that deeper rows belong to, by usage
        for segment in segments:
            # Items may be what the table around them is: only at its own level it is not entered again.
            self.expand(segment, frozenset(() if segment[4] else (segment[1],)), found, last, grouped)
        return found, grouped[0]

    def expand(self, segment, entered, found, last, grouped):
        # Macros are nested a few levels deep; what is entered is not entered again.
        usage, module, start, stop, base, context, guard = segment
        rows = self.rows_of(module)
        i = start
        while i < stop:
            depth, tag, target, kind, items, first, count, condition = rows[i]
            if depth > base:
                end = i
                while end < stop and rows[end][0] > base:
                    end += 1
                entry = last.get(usage)
                if entry is not None:
                    inner = tuple((path[1:], one) for path, one in context if len(path) > 1 and path[0] == entry[0])
                    entry[2].append((usage, module, i, end, base + 1, inner, 0))
                i = end
                continue
            i += 1
            if tag is not None:
                last[usage] = entry = found.setdefault(tag, (tag, [], []))
                self.claim(entry[1], usage, module, tag, (kind, items, first, count, condition), context, guard)
            elif target == -1:
                grouped[0] = True
                for k, (macro, *_) in enumerate(self.groups):
                    self.expand(self.whole(len(self.usages) + k, macro), entered | {macro}, found, last, grouped)
            elif target is not None and target not in entered:
                whole = self.whole(usage, target, context, condition or guard)
                self.expand(whole, entered | {target}, found, last, grouped)

    def claim(self, claims, usage, module, tag, row, context, guard):
        kind, items, first, count, condition = row
        more = []
        for path, one in reversed(context):         # the outermost has the last word
            if path == (tag,):
                refined, its_first, its_count, its_condition = one
                if refined:
                    kind, condition = refined, its_condition
                if its_count:
                    more.append((usage, module, 0, its_first, its_count, 0, 0, guard))
        for one in [(usage, module, condition, first, count, TYPES[kind], items, guard), *more]:
            if one not in claims:
                claims.append(one)


cdef Plan compiled(int sop_class):
    cdef Plan plan = Plan.__new__(Plan)
    cdef uint32_t level = 0, slot = 0, claim = 0, need = 0, i
    cdef Claim* c
    _, usages, groups, refinements = _tables.iod(sop_class)
    context = tuple((path, tuple(one)) for path, *one in refinements)
    compiler = _Compiler(usages, groups)
    compiler.number_of(tuple(compiler.whole(k, module, context) for k, (module, *_) in enumerate(usages)))
    made = []
    while len(made) < len(compiler.waiting):
        found, grouped = compiler.level(compiler.waiting[len(made)])
        attributes = [
            (tag, claims, compiler.number_of(tuple(dict.fromkeys(inner))) if inner else NO_LEVEL)
            for tag, claims, inner in found.values()
        ]
        made.append((sorted(attributes, key=itemgetter(0)), grouped))
    weaken(made[0][0], [_tables.module(module)[0] for module, *_ in usages])
    plan.sop_class, plan.usage_count, plan.group_count = sop_class, len(usages), len(groups)
    plan.level_total = len(made)
    plan.slot_total = sum(len(attributes) for attributes, _ in made)
    plan.claim_total = sum(len(claims) for attributes, _ in made for _, claims, _ in attributes)
    plan.levels = <Level*>room(plan.level_total, sizeof(Level))
    plan.slots = <Slot*>room(plan.slot_total, sizeof(Slot))
    plan.claims = <Claim*>room(plan.claim_total, sizeof(Claim))
    plan.needed = <uint32_t*>room(plan.slot_total, sizeof(uint32_t))
    for attributes, grouped in made:
        plan.levels[level].slots, plan.levels[level].slot_count = slot, len(attributes)
        plan.levels[level].groups, plan.levels[level].needed = grouped, need
        for i, (tag, claims, child) in enumerate(attributes):
            if any([0 < one[5] < 5 for one in claims]):      # of types 1 to 2C
                plan.needed[need] = i
                need += 1
            plan.slots[slot].tag, plan.slots[slot].child = tag, child
            plan.slots[slot].claims, plan.slots[slot].claim_count = claim, len(claims)
            plan.slots[slot].vr = public_vr(tag)
            slot += 1
            for usage, module, condition, first, count, kind, items, guard in claims:
                c = &plan.claims[claim]
                c.usage, c.module, c.condition, c.uses = usage, module, condition, first
                c.use_count, c.type, c.items, c.guard = count, kind, items, guard
                claim += 1
        plan.levels[level].needed_count = need - plan.levels[level].needed
        level += 1
    fill_usages(plan, [*usages, *groups])
    fill_looked(plan)
    return plan


def weaken(attributes, names):
    """Give way to types that are stated in place of others; `names` are those of the IOD's modules."""
    replaced = {tag: weaker for (name, tag), weaker in WEAKER.items() if name in names}
    for tag, claims, _ in attributes:
        if tag in replaced:
            claims[:] = [
                (*one[:5], TYPES["3"], *one[6:]) if names[one[0]] == replaced[tag] else one for one in claims
            ]


cdef int fill_usages(Plan plan, list usages) except -1:
    cdef int i = 0
    plan.modules = <uint16_t*>room(len(usages), sizeof(uint16_t))
    plan.usages = <uint8_t*>room(len(usages), sizeof(uint8_t))
    plan.conditions = <uint16_t*>room(len(usages), sizeof(uint16_t))
    for module, _, usage, condition in usages:
        plan.modules[i], plan.usages[i], plan.conditions[i] = module, ord(usage), condition
        i += 1
    return 0


cdef int fill_looked(Plan plan) except -1:
    # Tags at whose values conditions, sets of values and numbers of items look, and those of codes.
    cdef const rules_t* r = rules()
    cdef set found = tags_with_values()
    cdef uint32_t tag
    cdef int i, k
    cdef const Claim* c
    found.update((0x00080100, 0x00080102, 0x00080119, 0x00080120))
    for i in range(plan.slot_total):
        for k in range(plan.slots[i].claim_count):
            c = &plan.claims[plan.slots[i].claims + k]
            if c.use_count:
                found.add(plan.slots[i].tag)
            if c.items:
                found.add(r.items[c.items].tag)
    if len(found) > LOOKED_SIZE // 2:
        raise OverflowError("the tables name more attributes than were thought of")
    plan.looked = <uint32_t*>room(LOOKED_SIZE, sizeof(uint32_t))
    for tag in found:
        if tag:
            plan.looked[looked_at(plan.looked, tag)] = tag
    return 0
