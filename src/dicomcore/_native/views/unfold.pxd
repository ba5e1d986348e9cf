# Going down through data sets that are items of each other.

cdef int enter(set above, object data_set) except -1
