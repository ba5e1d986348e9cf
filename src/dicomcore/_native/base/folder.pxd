# The entries of folders, and files looked up in them; see folder.h.

from dicomcore._native.base.file cimport file_facts, file_handle

cdef extern from "base/folder.h" nogil:
    ctypedef int folder_handle      # -1: no folder is open
    enum:
        FOLDERS
    folder_handle folder_open(const char* path)
    int folder_look(folder_handle folder, const char* name, file_facts* facts)
    file_handle folder_file(folder_handle folder, const char* name)
    void folder_close(folder_handle folder)
    void* folder_list(const char* path)
    int folder_next(void* list, const char** name, int* kind)
    void folder_end(void* list)
