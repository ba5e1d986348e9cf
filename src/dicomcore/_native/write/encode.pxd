# Values into bytes, by VR.

from libc.stdint cimport uint16_t, uint64_t

from dicomcore._native.write.output cimport Output

# The bytes of a value that is no sequence, padded to even length, at the end of `out`. `charset` encodes text; `big` is
# the byte order wanted, `held_big` that of values set as bytes, whose words have the VR's size, or `width`. Raises
# EncodeError, which does not name the element.
cdef int put_value(Output out, uint16_t vr, object value, bint big, bint held_big, object charset,
                   uint64_t width=*) except -1
cdef str decimal_text(double value)
