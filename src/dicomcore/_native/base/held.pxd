# Buffers that are acquired for one call. PyBUF_SIMPLE gives the bytes of any contiguous buffer, whatever its items are,
# at a tenth of the cost of a typed memoryview, which matters when a frame decodes within a few microseconds.

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer


cdef inline int hold(object source, Py_buffer* view) except -1:
    PyObject_GetBuffer(source, view, PyBUF_SIMPLE)
    return 0


cdef inline int hold_writable(object target, Py_buffer* view) except -1:
    PyObject_GetBuffer(target, view, PyBUF_WRITABLE)
    return 0


cdef inline void let_go(Py_buffer* view) noexcept:
    PyBuffer_Release(view)


cdef inline int check_words(const Py_buffer* view, int width) except -1:
    # Compilers assume that a pointer to two-byte words is even.
    if width == 2 and <size_t>view.buf & 1:
        raise ValueError("a buffer of two-byte samples begins at an even address")
    return 0
