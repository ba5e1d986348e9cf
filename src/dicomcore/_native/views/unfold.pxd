# Walks through a data set and its nested items.

cdef int enter(set above, object data_set) except -1
