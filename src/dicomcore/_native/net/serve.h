/* What a thread needs that serves one connection by itself: a socket, notices of other threads, the clock, the room on
 * a disk (Linux). No Python.h; safe to call without the GIL. */
#ifndef DICOMCORE_SERVE_H
#define DICOMCORE_SERVE_H

#include <stddef.h>
#include <stdint.h>

enum { SERVE_BYTES = 1, SERVE_NOTICE = 2 };

#if defined(__linux__)

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* What there is within so many milliseconds: SERVE_BYTES (or the end) of a socket, SERVE_NOTICE. Descriptors of -1 are
 * not looked at. */
static inline int serve_wait(int file, int notice, int milliseconds)
{
    struct pollfd both[2] = {{file, POLLIN, 0}, {notice, POLLIN, 0}};
    if (poll(both, 2, milliseconds) <= 0)
        return 0;
    return (both[0].revents ? SERVE_BYTES : 0) | (both[1].revents ? SERVE_NOTICE : 0);
}

/* Bytes that came; 0 if there are none, -1 at the end of the connection. */
static inline ptrdiff_t serve_receive(int file, uint8_t *to, size_t size)
{
    ssize_t count = recv(file, to, size, MSG_DONTWAIT);
    if (count > 0)
        return count;
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* A descriptor that can be read when something was told; -1 if there is none. */
static inline int serve_notice(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

/* Have it be read. */
static inline void serve_tell(int notice)
{
    uint64_t one = 1;
    while (write(notice, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* Nothing is told until the next time. */
static inline void serve_told(int notice)
{
    uint64_t count;
    while (read(notice, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

static inline void serve_forget(int notice)
{
    if (notice >= 0)
        close(notice);
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
    if (statvfs(folder, &facts) != 0 || facts.f_frsize == 0)
        return 0;
    return (uint64_t)facts.f_bavail >= (least + facts.f_frsize - 1) / facts.f_frsize;
}

#else

static inline int serve_wait(int file, int notice, int milliseconds)
{
    (void)file, (void)notice, (void)milliseconds;
    return SERVE_BYTES;
}

static inline ptrdiff_t serve_receive(int file, uint8_t *to, size_t size)
{
    (void)file, (void)to, (void)size;
    return -1;
}

static inline int serve_notice(void) { return -1; }

static inline void serve_tell(int notice) { (void)notice; }

static inline void serve_told(int notice) { (void)notice; }

static inline void serve_forget(int notice) { (void)notice; }

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
