# A kernel's status, and the only function that turns it into an exception.

cdef enum Status:
    OK = 0
    TRUNCATED       # the input ends before a length or count that it states
    OVERRUN         # the input decodes to more than the output has room for
    CORRUPT         # the input breaks a rule of its format
    UNSUPPORTED     # the input is valid but uses a feature that the kernel doesn't handle
    LIMIT           # the input exceeds the call's Limits
    NO_MEMORY
    NEED_MORE       # not a fault: the kernel needs bytes behind its window
    IO_FAULT        # the operating system refused a read

cdef int raise_fault(Status status, str what, Py_ssize_t offset, object error=*) except -1
