# Look-ups in the generated dictionaries (`tables/*.h`), which only this module includes.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

# The VR of a public element (PS3.6, PS3.7), a group length or a private creator, for implicit VR: two letters, the
# first in the low byte; 0 if unknown. Where PS3.6 leaves a choice, the letters are 'xs' (US or SS), 'ox' (OB or OW),
# 'xo' (US or OW) or 'lt' (US or SS or OW). A tag is group << 16 | element.
cdef uint16_t public_vr(uint32_t tag) noexcept nogil

# What PS3.6 says of a public element: whether it is retired, and whether it may have so many values (PS3.5 6.4). An
# element that it does not have is neither.
cdef bint public_is_retired(uint32_t tag) noexcept nogil
cdef bint public_takes(uint32_t tag, int64_t count) noexcept nogil

cdef object tag_of_keyword(object keyword)      # int, or None
cdef int64_t find_keyword(object keyword)       # the same without creating an object: the tag, or -1
cdef str keyword_of_tag(uint32_t tag)           # "" if unknown; the next two functions do the same
cdef str name_of_tag(uint32_t tag)
cdef str vm_of_tag(uint32_t tag)

# Private elements. find_creator() takes a creator's bytes without padding and returns its row in the table, -1 if it is
# unknown; callers may keep this row as long as the creator's block is valid. private_vr_at() returns the VR of one of
# the creator's elements, two letters as above, 0 if unknown.
cdef int find_creator(const uint8_t* creator, Py_ssize_t n) noexcept nogil
cdef uint16_t private_vr_at(int creator, uint32_t tag) noexcept nogil
cdef str name_of_private(uint32_t tag, object creator)      # the dictionary's name, "" if unknown

cdef object new_tag(type cls, uint32_t tag)     # an instance of an int subclass; its __new__ is not called
