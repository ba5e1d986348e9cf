# Decodes JPEG lossless (T.81 process 14), for other kernels: they give pointers to a codestream and its output.

from libc.stdint cimport uint8_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.jpegll.markers cimport Scan, Stream


cdef Status read_info(const uint8_t* src, Py_ssize_t n, Stream* s, Scan* scan) noexcept nogil
cdef Status decode_stream(const uint8_t* src, Py_ssize_t n, uint8_t* dst, Py_ssize_t size, int width, bint apart,
                          bint lenient, Py_ssize_t* at) noexcept nogil
