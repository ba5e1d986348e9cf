# Classes and functions that `dicomcore.dataset` passes to native code, once, while it is imported.

cdef object DATASET             # the class of items, a DatasetBase
cdef object SEQUENCE            # the class of a sequence's value, a list
cdef object ELEMENT_LINE        # (element): the line that represents the element in print
cdef object CHECK_VALUE         # (mode, tag, VR, value): warns or raises if the VR doesn't allow the value
cdef object CHECK_NAME          # (mode, name): the same for an attribute that looks like a misspelt keyword
