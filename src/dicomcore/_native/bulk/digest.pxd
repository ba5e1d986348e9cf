# A keyed 64-bit hash of short texts: SipHash with one round per word and three at the end, which Python uses for str.
# Each run has its own secret key, so that an attacker can't construct names with equal hashes.

from libc.stdint cimport uint8_t, uint64_t

from dicomcore._native.base.cursor cimport load_le64


cdef inline uint64_t turned(uint64_t x, int by) noexcept nogil:
    return (x << by) | (x >> (64 - by))


cdef inline void mix(uint64_t* v) noexcept nogil:
    v[0] += v[1]
    v[2] += v[3]
    v[1] = turned(v[1], 13) ^ v[0]
    v[3] = turned(v[3], 16) ^ v[2]
    v[0] = turned(v[0], 32)
    v[2] += v[1]
    v[0] += v[3]
    v[1] = turned(v[1], 17) ^ v[2]
    v[3] = turned(v[3], 21) ^ v[0]
    v[2] = turned(v[2], 32)


cdef inline uint64_t digest(const uint8_t* p, Py_ssize_t n, uint64_t k0, uint64_t k1) noexcept nogil:
    cdef uint64_t v[4]
    cdef uint64_t word = <uint64_t>(n & 0xFF) << 56
    cdef Py_ssize_t i, rest = n & 7
    v[0] = k0 ^ 0x736F6D6570736575ULL
    v[1] = k1 ^ 0x646F72616E646F6DULL
    v[2] = k0 ^ 0x6C7967656E657261ULL
    v[3] = k1 ^ 0x7465646279746573ULL
    for i in range(0, n - rest, 8):
        v[3] ^= load_le64(p + i)
        mix(v)
        v[0] ^= load_le64(p + i)
    for i in range(rest):
        word |= <uint64_t>p[n - rest + i] << (8 * i)
    v[3] ^= word
    mix(v)
    v[0] ^= word
    v[2] ^= 0xFF
    mix(v)
    mix(v)
    mix(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]
