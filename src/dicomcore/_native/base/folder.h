/* Folders, whose calls differ between platforms: the entries of one, and files looked up by their names in one.
 * No Python.h; safe to call without the GIL. Functions return -1 (NULL) and set errno on failure. Where FOLDERS is 0
 * every call fails, and callers use paths and Python's os.scandir() instead. */
#ifndef DICOMCORE_FOLDER_H
#define DICOMCORE_FOLDER_H

#include "file.h"

#include <string.h>

#ifdef _WIN32

enum { FOLDERS = 0 };

typedef int folder_handle;

static inline folder_handle folder_open(const char *path)
{
    (void)path;
    errno = ENOSYS;
    return -1;
}

static inline int folder_look(folder_handle folder, const char *name, file_facts *facts)
{
    (void)folder;
    (void)name;
    (void)facts;
    errno = ENOSYS;
    return -1;
}

static inline file_handle folder_file(folder_handle folder, const char *name)
{
    (void)folder;
    (void)name;
    errno = ENOSYS;
    return -1;
}

static inline void folder_close(folder_handle folder) { (void)folder; }

static inline void *folder_list(const char *path)
{
    (void)path;
    errno = ENOSYS;
    return NULL;
}

static inline int folder_next(void *list, const char **name, int *kind)
{
    (void)list;
    (void)name;
    (void)kind;
    errno = ENOSYS;
    return -1;
}

static inline void folder_end(void *list) { (void)list; }

#else

#include <dirent.h>

enum { FOLDERS = 1 };

typedef int folder_handle;

/* A folder to look files up in; it need not be readable, only searchable. */
static inline folder_handle folder_open(const char *path)
{
#ifdef O_PATH
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
#else
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#endif
}

/* As file_look(), by the name of an entry. */
static inline int folder_look(folder_handle folder, const char *name, file_facts *facts)
{
    struct stat info;
    if (fstatat(folder, name, &info, 0) != 0)
        return -1;
    file_note(&info, facts);
    return 0;
}

/* As file_open(), by the name of an entry. */
static inline file_handle folder_file(folder_handle folder, const char *name)
{
    int file;
    do {
        file = openat(folder, name, FILE_OPENING);
    } while (file < 0 && errno == EINTR);
    return file;
}

static inline void folder_close(folder_handle folder) { close(folder); }

/* The entries of a folder, for folder_next() and folder_end(). */
static inline void *folder_list(const char *path)
{
    DIR *list;
    int folder;
    do {
        folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } while (folder < 0 && errno == EINTR);
    if (folder < 0)
        return NULL;
    list = fdopendir(folder);
    if (list == NULL) {
        int code = errno;
        close(folder);
        errno = code;
    }
    return list;
}

/* What an entry is; links are followed. A dangling link is a file: reading it reports the error. */
static inline int folder_kind(DIR *list, const struct dirent *entry)
{
    struct stat info;
#ifdef DT_DIR
    if (entry->d_type == DT_REG)
        return FILE_REGULAR;
    if (entry->d_type == DT_DIR)
        return FILE_DIRECTORY;
#endif
    if (fstatat(dirfd(list), entry->d_name, &info, 0) != 0)
        return FILE_REGULAR;
    return S_ISREG(info.st_mode) ? FILE_REGULAR : S_ISDIR(info.st_mode) ? FILE_DIRECTORY : FILE_OTHER;
}

/* The name and kind of the next entry: 1, or 0 at the end. The name is valid until the next call. */
static inline int folder_next(void *list, const char **name, int *kind)
{
    const struct dirent *entry;
    do {
        errno = 0;
        entry = readdir((DIR *)list);
        if (entry == NULL)
            return errno ? -1 : 0;
    } while (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    *name = entry->d_name;
    *kind = folder_kind((DIR *)list, entry);
    return 1;
}

static inline void folder_end(void *list) { closedir((DIR *)list); }

#endif
#endif
