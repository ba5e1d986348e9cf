"""Reads the size and time of change of many files, without the GIL: they tell whether a file changed."""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport strlen

from dicomcore._native.bulk.around cimport Around, leave, look_in
from dicomcore._native.bulk.digest cimport digest
from dicomcore._native.base.file cimport file_facts

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

OTHER = -2                      # a path that this loop can't look up
ABSENT = -1                     # no file, or one that can't be looked up

cdef void look(const char** names, Py_ssize_t* lengths, Py_ssize_t count, uint64_t* hashes, int64_t* sizes,
               int64_t* times, uint64_t k0, uint64_t k1) noexcept nogil:
    cdef Py_ssize_t i
    cdef file_facts facts
    cdef Around around = Around(NULL, 0, -1, False)
    for i in range(count):
        sizes[i] = times[i] = -2
        if names[i] == NULL:
            continue
        hashes[i] = digest(<const uint8_t*>names[i], lengths[i], k0, k1)
        sizes[i] = times[i] = -1
        if look_in(&around, names[i], lengths[i], &facts) == 0:
            sizes[i] = <int64_t>facts.size
            times[i] = facts.changed // 1000 - (facts.changed % 1000 < 0)       # floor, also of negative times
    leave(&around)


def survey(list paths not None, uint64_t[::1] hashes not None, int64_t[::1] sizes not None,
           int64_t[::1] times not None, uint64_t k0, uint64_t k1):
    """Look up many files, following links; a file never raises an exception.

    Parameters
    ----------
    paths : list of str
        A subclass of str, or a name that isn't valid UTF-8 or contains a zero character, gives OTHER for size and time;
        its hash is not written.
    hashes : array of uint64
        Receives the hash of each path with the key (k0, k1).
    sizes : array of int64
        Receives the size of each file in bytes, or ABSENT if the file can't be looked up.
    times : array of int64
        Receives the time of change of each file in µs, or ABSENT.
    k0, k1 : int
        The key of the hashes.
    """
    cdef Py_ssize_t i, count = len(paths)
    cdef const char** names
    cdef Py_ssize_t* lengths
    if hashes.shape[0] < count or sizes.shape[0] < count or times.shape[0] < count:
        raise ValueError(f"hashes, sizes and times must have at least {count} entries, one per path")
    if count == 0:
        return
    names = <const char**>calloc(count, sizeof(char*))
    lengths = <Py_ssize_t*>calloc(count, sizeof(Py_ssize_t))
    try:
        if names == NULL or lengths == NULL:
            raise MemoryError("no memory for a batch of paths")
        held = list(paths)                      # keeps the memory alive to which `names` points
        for i in range(count):
            path = held[i]
            if type(path) is not str:
                continue
            try:
                names[i] = PyUnicode_AsUTF8AndSize(path, &lengths[i])
            except UnicodeEncodeError:          # a lone surrogate: the name is not valid UTF-8
                continue
            if <Py_ssize_t>strlen(names[i]) != lengths[i]:
                names[i] = NULL
        with nogil:
            look(names, lengths, count, &hashes[0], &sizes[0], &times[0], k0, k1)
    finally:
        free(names)
        free(lengths)
