/* Pieces of memory that the system takes together. No Python.h; safe to call without the GIL. */
#ifndef DICOMCORE_PIECES_H
#define DICOMCORE_PIECES_H

#include <stddef.h>
#include <stdint.h>

#ifndef _WIN32

#include <sys/uio.h>

typedef struct iovec net_piece;

static inline void piece_set(net_piece *piece, const uint8_t *data, size_t size)
{
    piece->iov_base = (void *)data;
    piece->iov_len = size;
}

#else

typedef struct {
    const uint8_t *data;
    size_t size;
} net_piece;

static inline void piece_set(net_piece *piece, const uint8_t *data, size_t size)
{
    piece->data = data;
    piece->size = size;
}

#endif

#endif
