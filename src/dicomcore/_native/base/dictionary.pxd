# Look-ups over the generated dictionaries (`tables/*.h`), which live in this one module.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

# The VR of a public element (PS3.6, PS3.7), of a group length or of a private creator, for implicit VR: two letters,
# the first in the low byte; 0 when unknown. Where PS3.6 leaves a choice the letters are 'xs' (US or SS), 'ox' (OB or
# OW), 'xo' (US or OW) and 'lt' (US or SS or OW). A tag is group << 16 | element.
cdef uint16_t public_vr(uint32_t tag) noexcept nogil

cdef object tag_of_keyword(object keyword)      # int, or None
cdef int64_t find_keyword(object keyword)       # the same without an object: the tag, or -1
cdef str keyword_of_tag(uint32_t tag)           # "" when there is none, as the two below
cdef str name_of_tag(uint32_t tag)
cdef str vm_of_tag(uint32_t tag)

# Private elements: a creator's row, -1 when unknown (the bytes without padding), and the VR of one of its elements in
# two letters as above, 0 when unknown. The row may be kept as long as the block that the creator reserves.
cdef int find_creator(const uint8_t* creator, Py_ssize_t n) noexcept nogil
cdef uint16_t private_vr_at(int creator, uint32_t tag) noexcept nogil
cdef str name_of_private(uint32_t tag, object creator)      # the dictionary's name, "" when unknown

cdef object new_tag(type cls, uint32_t tag)     # an instance of an int subclass, without its __new__
