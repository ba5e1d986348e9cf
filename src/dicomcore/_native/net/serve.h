/* What a thread needs that serves one connection by itself: a socket, the clock, the room on a disk (Linux). No
 * Python.h; safe to call without the GIL. */
#ifndef DICOMCORE_SERVE_H
#define DICOMCORE_SERVE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__linux__)

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <time.h>

/* Bytes that came; 0 if nothing came for so many milliseconds, -1 at the end of the connection. */
static inline ptrdiff_t serve_receive(int file, uint8_t *to, size_t size, int milliseconds)
{
    struct pollfd one = {file, POLLIN, 0};
    ssize_t count;
    int ready = poll(&one, 1, milliseconds);
    if (ready <= 0)
        return ready == 0 || errno == EINTR ? 0 : -1;
    count = recv(file, to, size, MSG_DONTWAIT);
    if (count > 0)
        return count;
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* Bytes that the peer took at once. */
static inline ptrdiff_t serve_send(int file, const uint8_t *from, size_t size)
{
    ssize_t count = send(file, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return count < 0 ? 0 : count;
}

/* Milliseconds of a clock that never goes back. */
static inline int64_t serve_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether a disk has at least so many bytes left. */
static inline int serve_has_room(const char *folder, uint64_t least)
{
    struct statvfs facts;
    if (statvfs(folder, &facts) != 0)
        return 0;
    return (uint64_t)facts.f_bavail >= (least + facts.f_frsize - 1) / facts.f_frsize;
}

#else

static inline ptrdiff_t serve_receive(int file, uint8_t *to, size_t size, int milliseconds)
{
    (void)file, (void)to, (void)size, (void)milliseconds;
    return -1;
}

static inline ptrdiff_t serve_send(int file, const uint8_t *from, size_t size)
{
    (void)file, (void)from, (void)size;
    return 0;
}

static inline int64_t serve_clock(void) { return 0; }

static inline int serve_has_room(const char *folder, uint64_t least)
{
    (void)folder, (void)least;
    return 0;
}

#endif

#endif
