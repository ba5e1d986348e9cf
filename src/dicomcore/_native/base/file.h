/* File access, which differs between platforms: open a path, get size and time of change, read at an offset, close.
 * No Python.h; safe to call without the GIL. Functions return -1 and set errno on failure. */
#ifndef DICOMCORE_FILE_H
#define DICOMCORE_FILE_H

#include <errno.h>
#include <stdint.h>

typedef struct {
    uint64_t size;
    int64_t changed; /* time of the last change, in nanoseconds */
    int kind;        /* one of the FILE_* below */
} file_facts;

enum { FILE_REGULAR, FILE_DIRECTORY, FILE_OTHER };

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

typedef intptr_t file_handle;

static inline int file_fault(void)
{
    DWORD code = GetLastError();
    errno = code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND     ? ENOENT
            : code == ERROR_ACCESS_DENIED || code == ERROR_SHARING_VIOLATION ? EACCES
                                                                             : EIO;
    return -1;
}

static inline file_handle file_open(const char *utf8)
{
    wchar_t path[32768];
    HANDLE handle;
    if (MultiByteToWideChar(CP_UTF8, 0, utf8, -1, path, 32768) == 0) {
        errno = ENOENT;
        return -1;
    }
    handle = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                         OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    return handle == INVALID_HANDLE_VALUE ? file_fault() : (file_handle)handle;
}

static inline int file_stat(file_handle file, file_facts *facts)
{
    BY_HANDLE_FILE_INFORMATION info;
    if (!GetFileInformationByHandle((HANDLE)file, &info))
        return file_fault();
    facts->size = ((uint64_t)info.nFileSizeHigh << 32) | info.nFileSizeLow;
    /* from units of 100 ns since 1601 to ns since 1970, as os.stat() has it */
    facts->changed =
        ((int64_t)(((uint64_t)info.ftLastWriteTime.dwHighDateTime << 32) | info.ftLastWriteTime.dwLowDateTime)
         - 116444736000000000LL)
        * 100;
    facts->kind = info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? FILE_DIRECTORY : FILE_REGULAR;
    return 0;
}

static inline int file_look(const char *utf8, file_facts *facts)
{
    file_handle file = file_open(utf8);
    int status;
    if (file == -1)
        return -1;
    status = file_stat(file, facts);
    CloseHandle((HANDLE)file);
    return status;
}

static inline int64_t file_read(file_handle file, void *buffer, uint64_t size, uint64_t offset)
{
    uint64_t done = 0;
    while (done < size) {
        OVERLAPPED at;
        DWORD got = 0, want = size - done > (1u << 30) ? (1u << 30) : (DWORD)(size - done);
        memset(&at, 0, sizeof at);
        at.Offset = (DWORD)(offset + done);
        at.OffsetHigh = (DWORD)((offset + done) >> 32);
        if (!ReadFile((HANDLE)file, (char *)buffer + done, want, &got, &at) && GetLastError() != ERROR_HANDLE_EOF)
            return file_fault();
        if (got == 0)
            break;
        done += got;
    }
    return (int64_t)done;
}

static inline void file_close(file_handle file) { CloseHandle((HANDLE)file); }

#else

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int file_handle;

/* O_NONBLOCK: a FIFO without a writer must not hang the call; it has no effect on regular files */
enum { FILE_OPENING = O_RDONLY | O_CLOEXEC | O_NONBLOCK };

static inline file_handle file_open(const char *path)
{
    int file;
    do {
        file = open(path, FILE_OPENING);
    } while (file < 0 && errno == EINTR);
    return file;
}

static inline void file_note(const struct stat *info, file_facts *facts)
{
    facts->size = (uint64_t)info->st_size;
#ifdef __APPLE__
    facts->changed = (int64_t)info->st_mtimespec.tv_sec * 1000000000 + info->st_mtimespec.tv_nsec;
#else
    facts->changed = (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
#endif
    facts->kind = S_ISREG(info->st_mode) ? FILE_REGULAR : S_ISDIR(info->st_mode) ? FILE_DIRECTORY : FILE_OTHER;
}

static inline int file_stat(file_handle file, file_facts *facts)
{
    struct stat info;
    if (fstat(file, &info) != 0)
        return -1;
    file_note(&info, facts);
    return 0;
}

/* The same by path; links are followed. */
static inline int file_look(const char *path, file_facts *facts)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return -1;
    file_note(&info, facts);
    return 0;
}

static inline int64_t file_read(file_handle file, void *buffer, uint64_t size, uint64_t offset)
{
    uint64_t done = 0;
    while (done < size) {
        uint64_t want = size - done > (1u << 30) ? (1u << 30) : size - done;
        ssize_t got = pread(file, (char *)buffer + done, (size_t)want, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (uint64_t)got;
    }
    return (int64_t)done;
}

static inline void file_close(file_handle file) { close(file); }

#endif
#endif
