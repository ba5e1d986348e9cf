/* A whole file that appears under its name when it is complete, and not before (Linux). No Python.h; safe to call
 * without the GIL. */
#ifndef DICOMCORE_KEEP_H
#define DICOMCORE_KEEP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_TMPFILE */
#endif
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>

#include "net/pieces.h"

#if defined(__linux__) && defined(O_TMPFILE)

#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

/* Write pieces of `size` bytes in all; 0, or the error: a full disk takes less than it is given. */
static inline int keep_pieces(int file, const net_piece *pieces, int count, size_t size)
{
    ssize_t written = writev(file, pieces, count);
    if (written < 0)
        return errno;
    return (size_t)written == size ? 0 : ENOSPC;
}

/* Write pieces of `size` bytes in all to a new file in `folder`, and call it `target`; 0, or the error. */
static inline int keep_file(const char *folder, const char *target, const net_piece *pieces, int count, size_t size,
                            int durable)
{
    char path[32];
    int fault = 0, file = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (file < 0)
        return errno;
    fault = keep_pieces(file, pieces, count, size);
    if (!fault && durable && fsync(file) != 0)
        fault = errno;
    if (!fault) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
        if (linkat(AT_FDCWD, path, AT_FDCWD, target, AT_SYMLINK_FOLLOW) != 0)
            fault = errno;
    }
    close(file);
    return fault;
}

/* Write pieces of `size` bytes in all to a new file `target`; 0, or the error, and then there is no such file. */
static inline int keep_part(const char *target, const net_piece *pieces, int count, size_t size)
{
    int fault = 0, file = open(target, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (file < 0)
        return errno;
    fault = keep_pieces(file, pieces, count, size);
    if (close(file) != 0 && !fault)
        fault = errno;
    if (fault)
        unlink(target);
    return fault;
}

#else

static inline int keep_file(const char *folder, const char *target, const net_piece *pieces, int count, size_t size,
                            int durable)
{
    (void)folder, (void)target, (void)pieces, (void)count, (void)size, (void)durable;
    return ENOSYS;
}

static inline int keep_part(const char *target, const net_piece *pieces, int count, size_t size)
{
    (void)target, (void)pieces, (void)count, (void)size;
    return ENOSYS;
}

#endif

#endif
