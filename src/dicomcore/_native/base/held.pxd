# Buffers held for the length of one call. A plain request gives the bytes of any contiguous buffer, whatever its items
# are, at a tenth of a typed view's cost: what counts where a frame takes only a few microseconds.

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
    # Compilers take a pointer to two-byte words to be even.
    if width == 2 and <size_t>view.buf & 1:
        raise ValueError("a buffer of two-byte samples begins at an even address")
    return 0
