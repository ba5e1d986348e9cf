"""DS values that keep their text: floats that print as they are written in the file, as pydicom's do.

They are made only while dicomcore stands in pydicom's place; everywhere else a DS is a plain float.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.object cimport Py_EQ, Py_NE, PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_DecodeLatin1
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

cdef extern from "Python.h":
    ctypedef struct PyFloatObject:
        double ob_fval
    object PyType_GenericAlloc(PyTypeObject* cls, Py_ssize_t n)

cdef enum:
    SHORT = 23          # longest text inside the object; a DS has 16 characters at most (PS3.5 6.2)


@cython.no_gc
cdef class DecimalText(float):
    """A DS as a float, with the text that it was read from or set as."""

    cdef uint8_t length
    cdef char[SHORT] short
    cdef PyObject* long             # bytes, of a text that is longer

    def __dealloc__(self):
        Py_XDECREF(self.long)

    @property
    def original_string(self) -> str:
        """The text, without padding."""
        if self.long != NULL:
            return (<bytes>self.long).decode("latin-1").strip()
        return PyUnicode_DecodeLatin1(self.short, self.length, NULL).strip()

    @property
    def auto_format(self) -> bool:
        """False: the text is the one that was given."""
        return False

    def __str__(self) -> str:
        return self.original_string

    def __repr__(self) -> str:
        return self.original_string

    def __richcmp__(self, other, int op):
        if isinstance(other, str) and (op == Py_EQ or op == Py_NE):
            return (self.original_string == other) == (op == Py_EQ)
        if op == Py_EQ:
            return float.__eq__(self, other)
        if op == Py_NE:
            return float.__ne__(self, other)
        return COMPARISONS[op](self, other)

    def __hash__(self):
        return float.__hash__(self)

    def __reduce__(self):
        return restored, (float(self), self.original_string)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


cdef dict COMPARISONS = {0: float.__lt__, 1: float.__le__, 4: float.__gt__, 5: float.__ge__}


cdef object decimal_of(double number, const uint8_t* text, Py_ssize_t n):
    # A DecimalText of `n` characters of text. No __init__ runs: an RT structure set has a million values.
    cdef DecimalText made = <DecimalText>PyType_GenericAlloc(<PyTypeObject*>DecimalText, 0)
    cdef bytes long
    (<PyFloatObject*>made).ob_fval = number
    if n <= SHORT:
        memcpy(made.short, text, n)
        made.length = <uint8_t>n
    else:
        long = PyBytes_FromStringAndSize(<const char*>text, n)
        Py_INCREF(long)
        made.long = <PyObject*>long
    return made


def restored(double number, str text not None) -> DecimalText:
    """The DecimalText that was pickled."""
    cdef bytes data = text.encode("latin-1")
    return decimal_of(number, <const uint8_t*>PyBytes_AS_STRING(data), len(data))
