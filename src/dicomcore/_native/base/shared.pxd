# Fields that threads read while another may write them; see shared.h.

cdef extern from "base/shared.h" nogil:
    bint load_flag(const bint* place)
    void store_flag(bint* place, bint value)
    Py_ssize_t load_size(const Py_ssize_t* place)
    void store_size(Py_ssize_t* place, Py_ssize_t value)
    void* load_pointer(void** place)
    void store_pointer(void** place, void* value)
    void order_writes()
