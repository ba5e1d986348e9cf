# Decodes and encodes RLE Lossless (PS3.5 Annex G), for other kernels: they give pointers to a frame and its output.

from libc.stdint cimport uint8_t

from dicomcore._native.base.fault cimport Status


cdef struct Layout:
    Py_ssize_t pixels       # rows × columns
    Py_ssize_t columns      # each row is encoded separately; decoding doesn't use it
    int samples             # samples per pixel
    int width               # bytes per sample
    bint planar             # Planar Configuration 1: samples are stored by plane

cdef Status expand_frame(const uint8_t* src, Py_ssize_t n, uint8_t* dst, const Layout* layout, bint lenient,
                         Py_ssize_t* at) noexcept nogil
cdef Py_ssize_t pack_bound(const Layout* layout) noexcept nogil
cdef Status pack_frame(const uint8_t* src, uint8_t* dst, const Layout* layout, Py_ssize_t* size) noexcept nogil
