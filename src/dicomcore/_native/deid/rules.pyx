"""Rules: the actions of a plan by tag, and the private elements that stay, in the form that the walk asks for."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from dicomcore._native.check.plan cimport Plan, plan_for

from dicomcore._native.rules import tables as _tables

cdef enum:
    MOST = 3 << (BITS - 2)      # slots that may be filled: a walk through them ends soon


cdef uint16_t code_of(str vr) except? 0xFFFF:
    if len(vr) != 2:
        return 0
    return <uint16_t>(ord(vr[0]) | ord(vr[1]) << 8)


cdef class Rules:
    """The compiled rules of one plan; they do not change, and threads share them."""

    def __cinit__(self, *, list rows, list private, dict nets, tuple functions, bint unknown_removed,
                  bint structured, bint descriptors):
        """`rows` are (tag, action, basic action, rule, function's number, VR), `private` (creator's bytes, group, low
        byte, what, VR); `nets` the actions of what the rows do not name: "UI", "PN", "DA", "curves", "overlays",
        "overlay text"."""
        self.plans = {}
        self.creators = {}
        self.functions = functions
        self.unknown_removed, self.structured = unknown_removed, structured
        self.descriptors = descriptors
        self.net_uid, self.net_name, self.net_date = ord(nets["UI"]), ord(nets["PN"]), ord(nets["DA"])
        self.curves, self.overlays = ord(nets["curves"]), ord(nets["overlays"])
        self.overlay_text = ord(nets["overlay text"])
        for tag, action, basic, rule, number, vr in rows:
            self.put(tag, ord(action), ord(basic), rule, number, vr)
        self.put_private(private)

    def __dealloc__(self):
        free(self.private)

    cdef int put(self, uint32_t tag, uint8_t action, uint8_t basic, uint8_t rule, uint16_t number, str vr) except -1:
        cdef Slot* slot = <Slot*>slot_for(self.slots, tag)
        if slot.action == NO_ACTION:
            self.filled += 1
            if self.filled > MOST:
                raise ValueError(f"a plan has at most {MOST} attributes")
        slot.tag, slot.action, slot.basic, slot.rule, slot.number = tag, action, basic, rule, number
        slot.vr = code_of(vr)
        if tag & 0x10000 and action != REMOVE:
            self.own_private = True
        return 0

    cdef int put_private(self, list rows) except -1:
        cdef Py_ssize_t i = 0
        cdef PrivateRow* row
        found = {}
        for creator, group, low, what, vr in rows:
            number = self.creators.setdefault(creator, len(self.creators))
            found[number << 32 | group << 8 | low] = what, vr
        self.private = <PrivateRow*>malloc(max(len(found), 1) * sizeof(PrivateRow))
        if self.private == NULL:
            raise MemoryError("no memory for the private elements of a plan")
        for key in sorted(found):
            what, vr = found[key]
            row = &self.private[i]
            row.key, row.what, row.vr = key, ord(what), code_of(vr)
            i += 1
        self.private_count = i
        return 0

    cdef const PrivateRow* find_private(self, int creator, uint32_t tag) noexcept nogil:
        # The row of one of a creator's elements, NULL if it is not safe.
        cdef uint64_t key = <uint64_t>creator << 32 | (tag >> 16) << 8 | (tag & 0xFF)
        cdef Py_ssize_t low = 0, high = self.private_count, middle
        if creator < 0:
            return NULL
        while low < high:
            middle = (low + high) >> 1
            if self.private[middle].key < key:
                low = middle + 1
            else:
                high = middle
        return &self.private[low] if low < self.private_count and self.private[low].key == key else NULL

    cdef Plan types_of(self, bytes sop_class):
        # The levels of a SOP class's IOD, with the types of their attributes; None for one that is not known.
        if sop_class not in self.plans:
            number = _tables.find(sop_class.decode("latin-1"))
            self.plans[sop_class] = None if number < 0 else plan_for(number)
            if len(self.plans) > 4096:          # an input may name any
                self.plans.clear()
                return None if number < 0 else plan_for(number)
        return <Plan>self.plans[sop_class]
