/* One request to a peer and its answer over a blocking socket, and small files (POSIX). No Python.h; safe to call
 * without the GIL. */
#ifndef DICOMCORE_ASK_H
#define DICOMCORE_ASK_H

#include <stddef.h>
#include <stdint.h>

#include "net/pieces.h"

#ifndef _WIN32

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Bytes that were sent, or the error as a negative number. */
static inline ptrdiff_t ask_send(int file, net_piece *pieces, int count)
{
    struct msghdr message = {0};
    ssize_t sent;
    message.msg_iov = pieces;
    message.msg_iovlen = count;
#ifdef MSG_NOSIGNAL
    sent = sendmsg(file, &message, MSG_NOSIGNAL);
#else
    sent = sendmsg(file, &message, 0);
#endif
    return sent < 0 ? -errno : sent;
}

/* Bytes that came, or the error as a negative number. */
static inline ptrdiff_t ask_receive(int file, uint8_t *to, size_t size)
{
    ssize_t count = recv(file, to, size, 0);
    return count < 0 ? -errno : count;
}

/* A regular file of up to `most` bytes, opened, and its size; -1 for others. */
static inline int ask_open(const char *path, size_t most, size_t *size)
{
    struct stat facts;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return -1;
    if (fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0 && (uint64_t)facts.st_size <= most) {
        *size = (size_t)facts.st_size;
        return file;
    }
    close(file);
    return -1;
}

/* Read an open file of so many bytes, and close it; whether they came. Nothing is read for a size of 0. */
static inline int ask_fill(int file, uint8_t *to, size_t size)
{
    ssize_t count = size ? read(file, to, size) : -1;
    close(file);
    return count >= 0 && (size_t)count == size;
}

/* Bytes of a regular file of up to `most` bytes, -1 for others. */
static inline ptrdiff_t ask_read(const char *path, uint8_t *to, size_t most)
{
    size_t size = 0;
    int file = ask_open(path, most, &size);
    return file >= 0 && ask_fill(file, to, size) ? (ptrdiff_t)size : -1;
}

/* Microseconds of a clock that never goes back. */
static inline int64_t ask_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#else

static inline ptrdiff_t ask_send(int file, net_piece *pieces, int count)
{
    (void)file, (void)pieces, (void)count;
    return 0;
}

static inline ptrdiff_t ask_receive(int file, uint8_t *to, size_t size)
{
    (void)file, (void)to, (void)size;
    return 0;
}

static inline int ask_open(const char *path, size_t most, size_t *size)
{
    (void)path, (void)most, (void)size;
    return -1;
}

static inline int ask_fill(int file, uint8_t *to, size_t size)
{
    (void)file, (void)to, (void)size;
    return 0;
}

static inline ptrdiff_t ask_read(const char *path, uint8_t *to, size_t most)
{
    (void)path, (void)to, (void)most;
    return -1;
}

static inline int64_t ask_clock(void) { return 0; }

#endif

#endif
