# Row numbers that callers in Python give.


cdef inline int checked(int number, int count) except -1:
    # The number, if there are so many rows; else IndexError.
    if not 0 <= number < count:
        raise IndexError(f"row {number} of {count}")
    return number
