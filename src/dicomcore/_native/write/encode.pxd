# Encodes values by VR.

from libc.stdint cimport uint16_t, uint64_t

from dicomcore._native.write.output cimport Output

# Append the bytes of a value to `out`, padded to even length; the VR is not SQ. `charset` encodes text. `big` is the
# byte order to write, `held_big` the byte order of values that were set as bytes, whose words have the VR's size, or
# `width` bytes. Raises EncodeError, which does not name the element.
cdef int put_value(Output out, uint16_t vr, object value, bint big, bint held_big, object charset,
                   uint64_t width=*) except -1
cdef str decimal_text(double value)
