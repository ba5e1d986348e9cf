# The parts of compiler.h that native modules use.

cdef extern from "base/compiler.h" nogil:
    const bint DC_BIG_ENDIAN
    void static_assert "DC_STATIC_ASSERT"(bint condition) noexcept      # ends the build if it is false
