# Numbers written as text: Decimal String and Integer String (PS3.5 6.2). All of it runs without the GIL,
# takes no locale into account and gives what float() and int() would, except that '_', inf and nan are malformed.
# A value is text[0:n], its components divided by backslashes; padding (spaces, trailing NULs) may stand round each.

from libc.stdint cimport int64_t, uint8_t

from dicomcore._native.base.fault cimport Status


# Components of a value: its backslashes + 1, and 0 when nothing but padding is there.
cdef Py_ssize_t count_values(const uint8_t* text, Py_ssize_t n) noexcept nogil

# Every component into out[0:cap]; count[0] is how many were written. An empty component is NaN.
# CORRUPT: at[0] is the offset of the malformed component, out[0:count] holds those before it. OVERRUN: more than cap.
cdef Status parse_decimals(const uint8_t* text, Py_ssize_t n, double* out, Py_ssize_t cap,
                           Py_ssize_t* count, Py_ssize_t* at) noexcept nogil

# The same for integers. UNSUPPORTED: what int64 can't hold, at at[0]: a larger number, or an empty component.
# A fraction of zeros ("1.0", "15e1") is an integer, as pydicom takes it to be; any other is CORRUPT.
cdef Status parse_integers(const uint8_t* text, Py_ssize_t n, int64_t* out, Py_ssize_t cap,
                           Py_ssize_t* count, Py_ssize_t* at) noexcept nogil

# One component alone: a backslash in it is CORRUPT.
cdef Status parse_decimal(const uint8_t* text, Py_ssize_t n, double* out) noexcept nogil
cdef Status parse_integer(const uint8_t* text, Py_ssize_t n, int64_t* out) noexcept nogil
