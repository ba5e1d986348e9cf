# What an instance is, from the first bytes of its data set.

from libc.stdint cimport uint8_t, uint32_t


cdef struct Value:
    const uint8_t* at
    Py_ssize_t size         # 0: not there


cdef struct Identity:
    Value sop_class, sop_instance, study, series

# Fill in what stands in the n bytes at p, the beginning of a data set of `size` bytes, up to the tag `last`; False
# unless all on the way is regular. Sizes are 0 before.
cdef bint identify(const uint8_t* p, Py_ssize_t n, Py_ssize_t size, bint is_implicit, uint32_t last,
                   Identity* found) noexcept nogil
# 1 for implicit VR little endian, 0 for explicit VR little endian, -1 for what is read elsewhere.
cdef int encoding_of(const uint8_t* uid, Py_ssize_t n) noexcept nogil
# A UID (PS3.5 9.1) without its padding, False if it is none.
cdef bint read_uid(const uint8_t* p, Py_ssize_t n, Value* value) noexcept nogil
# Where the data set of a file begins, and its transfer syntax, from its first n bytes; -1 unless the file meta
# information is regular, and here.
cdef Py_ssize_t read_meta(const uint8_t* p, Py_ssize_t n, Value* syntax) noexcept nogil
