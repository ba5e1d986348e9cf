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

/* Bytes of a regular file of up to `most` bytes, -1 for others. */
static inline ptrdiff_t ask_read(const char *path, uint8_t *to, size_t most)
{
    struct stat facts;
    ssize_t count = -1;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return -1;
    if (fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0 && (uint64_t)facts.st_size <= most)
        count = read(file, to, most);
    close(file);
    return count == (ssize_t)facts.st_size ? count : -1;
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

static inline ptrdiff_t ask_read(const char *path, uint8_t *to, size_t most)
{
    (void)path, (void)to, (void)most;
    return -1;
}

#endif

#endif
