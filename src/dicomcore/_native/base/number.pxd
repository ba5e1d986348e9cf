# Numbers written as text: Decimal String and Integer String (PS3.5 6.2). All kernels run without the GIL, ignore the
# locale and return the same numbers as float() and int(), except that '_', inf and nan are malformed. A value is
# text[0:n]; backslashes separate its components, and each component may have padding (spaces, trailing NULs) around it.

from libc.stdint cimport int64_t, uint8_t

from dicomcore._native.base.fault cimport Status


# The number of components: backslashes + 1, or 0 if the value is only padding.
cdef Py_ssize_t count_values(const uint8_t* text, Py_ssize_t n) noexcept nogil

# Writes all components to out[0:cap] and their number to count[0]. An empty component becomes NaN. CORRUPT: at[0] is
# the offset of the malformed component, and out[0:count] holds the components before it. OVERRUN: there are more than
# `cap` components.
cdef Status parse_decimals(const uint8_t* text, Py_ssize_t n, double* out, Py_ssize_t cap,
                           Py_ssize_t* count, Py_ssize_t* at) noexcept nogil

# The same for integers. UNSUPPORTED: int64 can't hold the component at at[0], as it is too large a number or empty.
# A number whose fraction is zero ("1.0", "15e1") is an integer, as in pydicom; any other fraction is CORRUPT.
cdef Status parse_integers(const uint8_t* text, Py_ssize_t n, int64_t* out, Py_ssize_t cap,
                           Py_ssize_t* count, Py_ssize_t* at) noexcept nogil

# A single component; a backslash is CORRUPT.
cdef Status parse_decimal(const uint8_t* text, Py_ssize_t n, double* out) noexcept nogil
cdef Status parse_integer(const uint8_t* text, Py_ssize_t n, int64_t* out) noexcept nogil
