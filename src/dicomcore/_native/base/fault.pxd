# The outcome of a kernel, and the one place where it becomes an exception.

cdef enum Status:
    OK = 0
    TRUNCATED       # the input ends inside what it announces
    OVERRUN         # the input holds more than the output can take
    CORRUPT         # the input breaks a rule of its format
    UNSUPPORTED     # a valid input of a kind that isn't handled
    LIMIT           # the call's Limits are crossed
    NO_MEMORY
    NEED_MORE       # not a fault: the kernel wants bytes that lie behind its window
    IO_FAULT        # the operating system refused a read

cdef int raise_fault(Status status, str what, Py_ssize_t offset, object error=*) except -1
