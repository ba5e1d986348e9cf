# What `dicomcore.dataset` told native code: set once while it is imported, read from then on.

cdef object DATASET             # the class of items, a DatasetBase
cdef object SEQUENCE            # the class of a sequence's value, a list
cdef object ELEMENT_LINE        # (element): the line that an element prints as
cdef object CHECK_VALUE         # (mode, tag, VR, value): warns or raises where the VR doesn't allow the value
cdef object CHECK_NAME          # (mode, name): the same for an attribute that looks like a misspelt keyword
