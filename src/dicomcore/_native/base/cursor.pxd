# Loads of unsigned words from bytes, and stores; each function is named after the byte order. No bounds are checked:
# the caller has asked `need > n - i` before. Compilers turn each function into one load or store (and a swap).

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef inline uint16_t load_le16(const uint8_t* p) noexcept nogil:
    return <uint16_t>(p[0] | (<uint32_t>p[1] << 8))


cdef inline uint32_t load_le32(const uint8_t* p) noexcept nogil:
    return p[0] | (<uint32_t>p[1] << 8) | (<uint32_t>p[2] << 16) | (<uint32_t>p[3] << 24)


cdef inline uint64_t load_le64(const uint8_t* p) noexcept nogil:
    return <uint64_t>load_le32(p) | (<uint64_t>load_le32(p + 4) << 32)


cdef inline uint16_t load_be16(const uint8_t* p) noexcept nogil:
    return <uint16_t>((<uint32_t>p[0] << 8) | p[1])


cdef inline uint32_t load_be32(const uint8_t* p) noexcept nogil:
    return (<uint32_t>p[0] << 24) | (<uint32_t>p[1] << 16) | (<uint32_t>p[2] << 8) | p[3]


cdef inline uint64_t load_be64(const uint8_t* p) noexcept nogil:
    return (<uint64_t>load_be32(p) << 32) | load_be32(p + 4)


cdef inline void store_le16(uint8_t* p, uint32_t value) noexcept nogil:
    p[0], p[1] = value & 0xFF, (value >> 8) & 0xFF


cdef inline void store_le32(uint8_t* p, uint32_t value) noexcept nogil:
    p[0], p[1], p[2], p[3] = value & 0xFF, (value >> 8) & 0xFF, (value >> 16) & 0xFF, value >> 24


cdef inline void store_be32(uint8_t* p, uint32_t value) noexcept nogil:
    p[0], p[1], p[2], p[3] = value >> 24, (value >> 16) & 0xFF, (value >> 8) & 0xFF, value & 0xFF
