# What native modules ask of the compiler.

cdef extern from "base/compiler.h" nogil:
    const bint DC_BIG_ENDIAN
    void static_assert "DC_STATIC_ASSERT"(bint condition) noexcept      # ends the build where it is false
