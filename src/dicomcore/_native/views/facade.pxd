# Classes and functions that `dicomcore.dataset` passes to native code, while it is imported. A subclass
# of these classes can take their place, see `dicomcore.dataset.serving`.

cdef object DATASET             # the class of items, a DatasetBase
cdef object SEQUENCE            # the class of a sequence's value, a list
cdef object ELEMENT             # the class of elements, None for DataElement itself
cdef object NAME                # the class of PN values, None for PersonName itself
cdef object WHOLE               # the class of IS values, None for int itself
cdef bint KEEPS                 # whether DS keep their text, and None and dates that are set stay so: pydicom's habits
cdef object ELEMENT_LINE        # (element): the line that represents the element in print
cdef object CHECK_VALUE         # (mode, tag, VR, value): warns or raises if the VR doesn't allow the value
cdef object ADVICE              # (data set, name): the message for an attribute that it does not have, None without one
cdef object SETTING_ADVICE      # (data set, name): the same for an attribute that can't be set
cdef object CHECK_NAME          # (mode, name): the same for an attribute that looks like a misspelt keyword
