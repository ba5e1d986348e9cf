"""Decimal Strings and Integer Strings (PS3.5 6.2) to float64 and int64, exactly as float() and int() read them."""

from libc.math cimport NAN
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint64_t


from dicomcore._native.base.compiler cimport static_assert
from dicomcore._native.base.cursor cimport load_le64
from dicomcore._native.base.fault cimport CORRUPT, NO_MEMORY, OK, OVERRUN, UNSUPPORTED, Status, raise_fault
from dicomcore.errors import ParseError

cdef extern from "base/number.h" nogil:
    const int POWER_MIN, POWER_MAX, ROUNDS_ONCE
    const uint64_t POWER_BITS[][2]
    const double TEN_DOUBLE[]
    const uint64_t TEN_WORD[]
    int low_zeros(uint64_t word)
    int high_zeros(uint64_t word)
    const uint64_t ASCII_ZEROS, BACKSLASHES, POINTS, LOW_BITS, TEN_TO_TOP, TOP_BITS
    const uint64_t JOIN_PAIRS, PAIRS, JOIN_FOURS, FOURS, JOIN_EIGHT
    uint64_t multiply_wide(uint64_t a, uint64_t b, uint64_t* low)
    double double_of_bits(uint64_t bits)

cdef extern from "base/digits.h" nogil:
    bint reads_digits()
    size_t read_digits(const uint8_t* text, size_t n, double* out, size_t cap, size_t* count)

cdef enum:
    BACKSLASH = 0x5C
    WORD_DIGITS = 19            # decimal digits that always fit a uint64
    MOST_MISSES = 6

# A number as written: (-1)^negative * mantissa * 10^exponent; `inexact` if nonzero digits past the 19th were dropped.
cdef struct Decimal:
    uint64_t mantissa
    int64_t exponent
    bint negative
    bint inexact


cdef inline bint is_padding(uint8_t c) noexcept nogil:
    # The characters that float() strips, and NUL, with which some writers pad text.
    return c == 32 or (9 <= c <= 13) or c == 0


cdef inline uint64_t load_padded(const uint8_t* text, Py_ssize_t n, Py_ssize_t i) noexcept nogil:
    # Eight bytes from text[i], with zeros behind the end.
    cdef uint64_t word = 0
    cdef int k = 0
    if 8 <= n - i:
        return load_le64(text + i)
    while i < n:
        word |= <uint64_t>text[i] << (8 * k)
        i += 1
        k += 1
    return word


cdef inline uint64_t zero_bytes(uint64_t word) noexcept nogil:
    # Sets the top bit of each zero byte; only the lowest set bit is reliable.
    return (word - LOW_BITS) & ~word & TOP_BITS


cdef inline uint64_t join_digits(uint64_t word) noexcept nogil:
    # The number that eight digits, bytes of 0 to 9 with the first digit lowest, form: join them to pairs, fours, eight.
    word = ((word * JOIN_PAIRS) >> 8) & PAIRS
    word = ((word * JOIN_FOURS) >> 16) & FOURS
    return (word * JOIN_EIGHT) >> 32


cdef inline Py_ssize_t gather(const uint8_t* text, Py_ssize_t n, Py_ssize_t i, uint64_t* mantissa) noexcept nogil:
    # Append the digits at text[i] to the mantissa (modulo 2^64), eight at a time; return the offset of their end.
    cdef uint64_t word, other
    cdef int digits
    while True:
        word = load_padded(text, n, i) ^ ASCII_ZEROS        # digits become 0 to 9
        # A byte of 10 or more gets its top bit set. A carry can only disturb the bytes after a byte that isn't a digit.
        other = (word | (word + TEN_TO_TOP)) & TOP_BITS
        digits = low_zeros(other) >> 3 if other else 8
        if digits < 8:
            word = (word << 8) << (56 - 8 * digits)                  # drop what follows, put zeros in front
        mantissa[0] = mantissa[0] * TEN_WORD[digits] + join_digits(word)
        i += digits
        if digits < 8:
            return i


cdef Py_ssize_t gather_long(const uint8_t* text, Py_ssize_t n, Py_ssize_t i, Decimal* number) noexcept nogil:
    # For more than 19 digits at text[i], which may include a point: keep the first 19, count the others.
    cdef int kept = 0
    cdef bint fraction = False
    number.mantissa = 0
    number.exponent = 0
    while i < n:
        if text[i] == b"." and not fraction:
            fraction = True
        elif b"0" <= text[i] <= b"9":
            if kept < WORD_DIGITS:
                number.mantissa = number.mantissa * 10 + (text[i] - 48)
                kept += number.mantissa != 0                        # leading zeros don't count
                number.exponent -= fraction
            else:
                number.inexact |= text[i] != 48
                number.exponent += not fraction
        else:
            break
        i += 1
    return i


cdef Py_ssize_t gather_exponent(const uint8_t* text, Py_ssize_t n, Py_ssize_t i, Decimal* number) noexcept nogil:
    # Read the exponent at text[i], behind the "e"; return its end, or -1 if there is no digit.
    cdef int64_t exponent = 0
    cdef bint negative = False
    if i < n and (text[i] == b"-" or text[i] == b"+"):
        negative = text[i] == b"-"
        i += 1
    if i == n or not (b"0" <= text[i] <= b"9"):
        return -1
    while i < n and b"0" <= text[i] <= b"9":
        if exponent < <int64_t>1 << 56:     # beyond any text's length: further digits change nothing
            exponent = exponent * 10 + (text[i] - 48)
        i += 1
    number.exponent += -exponent if negative else exponent
    return i


cdef inline Py_ssize_t scan(const uint8_t* text, Py_ssize_t n, Py_ssize_t i, Decimal* number) noexcept nogil:
    # Read the number at text[i], without padding in front; return its end, or -1 if there is no number.
    cdef Py_ssize_t start, point, digits
    number.mantissa = 0
    number.inexact = False
    number.negative = text[i] == b"-"
    i += number.negative | (text[i] == b"+")
    start = i
    point = i = gather(text, n, i, &number.mantissa)
    digits = i - start
    if i < n and text[i] == b".":
        i = gather(text, n, i + 1, &number.mantissa)
        digits += i - point - 1
        number.exponent = point + 1 - i
    else:
        number.exponent = 0
    if digits == 0:
        return -1
    if digits > WORD_DIGITS:
        i = gather_long(text, n, start, number)
    if i < n and (text[i] | 32) == b"e":
        i = gather_exponent(text, n, i + 1, number)
    return i


cdef bint compose(uint64_t mantissa, int64_t exponent, uint64_t* bits) noexcept nogil:
    # The double nearest to mantissa * 10^exponent, as bits without sign; False if 128 bits don't decide it.
    # D. Lemire, Number parsing at a gigabyte per second (2021), algorithm 1.
    cdef uint64_t high, low, second, rest, value
    cdef int shift, upper
    cdef int64_t power
    static_assert(217706 * -POWER_MIN <= 1 << 30)   # so that no negative number is shifted below
    bits[0] = 0
    if mantissa == 0 or exponent < POWER_MIN:
        return True
    if exponent > POWER_MAX:
        bits[0] = <uint64_t>0x7FF << 52
        return True
    shift = high_zeros(mantissa)
    mantissa <<= shift
    high = multiply_wide(mantissa, POWER_BITS[exponent - POWER_MIN][0], &low)
    if high & 0x1FF == 0x1FF:                       # the bits below the 55 significant ones may still carry
        second = multiply_wide(mantissa, POWER_BITS[exponent - POWER_MIN][1], &rest)
        low += second
        high += low < second
        if low == <uint64_t>-1 and not (-27 <= exponent <= 55):
            return False
    upper = <int>(high >> 63)
    value = high >> (upper + 9)                     # 53 bits, a bit to round by, perhaps a zero above
    # floor(log2(10^exponent)), kept positive for the shift; 1086 is the exponent's bias plus the word's 63 bits.
    power = ((217706 * exponent + (<int64_t>1 << 30)) >> 16) - (1 << 14) + 1086 + upper - shift
    if power <= 0:                                  # subnormal, or zero; no exact half is possible here
        if power < -62:
            return True
        value >>= 1 - power
        bits[0] = (value + (value & 1)) >> 1        # a carry into bit 52 makes the smallest normal number
        return True
    if low <= 1 and -4 <= exponent <= 23 and value & 3 == 1 and value << (upper + 9) == high:
        value -= 1                                  # exactly half, below an even number: down
    value = (value + (value & 1)) >> 1
    if value >> 53:
        value >>= 1
        power += 1
    if power >= 0x7FF:
        bits[0] = <uint64_t>0x7FF << 52
    else:
        bits[0] = (value & ((<uint64_t>1 << 52) - 1)) | (<uint64_t>power << 52)
    return True


cdef bint reparse(const uint8_t* text, Py_ssize_t n, double* out) noexcept with gil:
    # For numbers that 128 bits don't decide (about one in 2^64 of shorter texts): only this function needs Python.
    try:
        out[0] = float(text[:n])
    except Exception:
        return False
    return True


cdef Status convert_hard(const uint8_t* text, Py_ssize_t n, const Decimal* number, double* out) noexcept nogil:
    # text[0:n] is the number alone, in case reparse() has to read it again.
    cdef uint64_t bits, above
    cdef bint sure = compose(number.mantissa, number.exponent, &bits)
    if number.inexact and sure:
        sure = compose(number.mantissa + 1, number.exponent, &above) and above == bits
    if sure:
        out[0] = double_of_bits(bits | (<uint64_t>number.negative << 63))
        return OK
    return OK if reparse(text, n, out) else NO_MEMORY


cdef inline Py_ssize_t read_short(const uint8_t* text, double* out) noexcept nogil:
    # The component at text[0] in the most common form: an optional minus, up to eight characters of digits and a point,
    # and a backslash, all within sixteen readable bytes. Returns its length, or 0 for any other form.
    # Lengths vary from one component to the next, so no branch depends on the length, and the start of the next
    # component is known early.
    cdef uint64_t word = load_le64(text), rest = load_le64(text + 8), point, whole
    cdef uint64_t stops = zero_bytes(word ^ BACKSLASHES), later = zero_bytes(rest ^ BACKSLASHES)
    cdef Py_ssize_t length = 0 if stops else 8
    cdef Py_ssize_t minus = text[0] == b"-", count, before
    cdef double value, scale
    stops = stops if stops else later
    if stops == 0:
        return 0
    length += low_zeros(stops) >> 3
    count = length - minus
    if not 1 <= count <= 8:
        return 0
    word = (word >> 8) | (rest << 56) if minus else word
    # `count` characters are left: `before` digits, the point if there is one, and the digits of the fraction.
    word = (word ^ ASCII_ZEROS) & (~<uint64_t>0 >> (64 - 8 * count))
    point = zero_bytes(word ^ (POINTS ^ ASCII_ZEROS))
    before = low_zeros(point) >> 3 if point else count
    whole = ((point & (0 - point)) - 1) >> 7 if point else ~<uint64_t>0
    word = (word & whole) | ((word >> 8) & ~whole)
    count -= point != 0
    if count == 0 or (word | (word + TEN_TO_TOP)) & TOP_BITS:
        return 0
    value = <double><int64_t>join_digits(word << (64 - 8 * count))
    scale = TEN_DOUBLE[count - before]
    out[0] = value / (-scale if minus else scale)   # both are exact: it rounds once and keeps the sign of zero
    return length


cdef inline Py_ssize_t skip_space(const uint8_t* text, Py_ssize_t n, Py_ssize_t i) noexcept nogil:
    # Skip the characters that float() strips in front.
    while i < n and (text[i] == 32 or 9 <= text[i] <= 13):
        i += 1
    return i


cdef inline Py_ssize_t skip_padding(const uint8_t* text, Py_ssize_t n, Py_ssize_t i) noexcept nogil:
    while i < n and is_padding(text[i]):
        i += 1
    return i


cdef inline Status read_decimal(const uint8_t* text, Py_ssize_t n, Py_ssize_t* at, double* out) noexcept nogil:
    # Read the component at text[at[0]]; at[0] moves to its end: a backslash, or n.
    cdef Decimal number
    cdef Py_ssize_t start = skip_space(text, n, at[0]), stop
    cdef double value
    if start == n or text[start] == BACKSLASH:
        out[0] = NAN
        at[0] = start
        return OK
    stop = scan(text, n, start, &number)
    if stop < 0:
        at[0] = skip_padding(text, n, start)        # NULs alone are an empty component too
        out[0] = NAN
        return OK if at[0] == n or text[at[0]] == BACKSLASH else CORRUPT
    at[0] = stop
    if stop < n and text[stop] != BACKSLASH:
        at[0] = skip_padding(text, n, stop)
        if at[0] < n and text[at[0]] != BACKSLASH:
            return CORRUPT
    # Both exact in a double, so one operation rounds once (W. D. Clinger, How to read floating point numbers, 1990).
    if ROUNDS_ONCE and number.mantissa >> 53 == 0 and -22 <= number.exponent <= 22 and not number.inexact:
        value = <double><int64_t>number.mantissa
        value = value / TEN_DOUBLE[-number.exponent] if number.exponent < 0 else value * TEN_DOUBLE[number.exponent]
        out[0] = -value if number.negative else value
        return OK
    return convert_hard(text + start, stop - start, &number, out)


cdef Status settle(Decimal* number, int64_t* out) noexcept nogil:
    # The integer value of a number that may have a point or an exponent.
    if number.inexact:
        return UNSUPPORTED
    while number.exponent < 0 and number.mantissa:
        if number.mantissa % 10:
            return CORRUPT
        number.mantissa //= 10
        number.exponent += 1
    while number.exponent > 0 and number.mantissa:
        if number.mantissa > <uint64_t>INT64_MAX // 10:
            return UNSUPPORTED
        number.mantissa *= 10
        number.exponent -= 1
    if number.mantissa > <uint64_t>INT64_MAX + number.negative:
        return UNSUPPORTED
    out[0] = <int64_t>(0 - number.mantissa if number.negative else number.mantissa)
    return OK


cdef inline Status read_integer(const uint8_t* text, Py_ssize_t n, Py_ssize_t* at, int64_t* out) noexcept nogil:
    # Like read_decimal(); an empty component is UNSUPPORTED.
    cdef Decimal number
    cdef Py_ssize_t start = skip_space(text, n, at[0]), stop
    if start == n or text[start] == BACKSLASH:
        return UNSUPPORTED
    stop = scan(text, n, start, &number)
    if stop < 0:
        stop = skip_padding(text, n, start)
        return UNSUPPORTED if stop == n or text[stop] == BACKSLASH else CORRUPT
    stop = skip_padding(text, n, stop)
    if stop < n and text[stop] != BACKSLASH:
        return CORRUPT
    at[0] = stop
    return settle(&number, out)


cdef inline Py_ssize_t trim(const uint8_t* text, Py_ssize_t n) noexcept nogil:
    while n and is_padding(text[n - 1]):
        n -= 1
    return n


cdef Py_ssize_t count_values(const uint8_t* text, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i = 0, k, stretch, count = 1
    cdef uint8_t some
    if trim(text, n) == 0:
        return 0
    while i < n:
        stretch = min(n - i, 255)       # so that a byte holds the count, and a vector sixteen of them
        some = 0
        for k in range(i, i + stretch):
            some += text[k] == BACKSLASH
        count += some
        i += stretch
    return count


cdef Status parse_decimals(const uint8_t* text, Py_ssize_t n, double* out, Py_ssize_t cap,
                           Py_ssize_t* count, Py_ssize_t* at) noexcept nogil:
    # A writer uses one form throughout a value: the way that did it last is tried first, and all of them are tried less
    # often the more they fail in a row.
    cdef Py_ssize_t i = 0, step, skip = 0
    cdef size_t read = 0
    cdef int misses = 0
    cdef bint reads = reads_digits(), is_long = False
    cdef Status status
    count[0] = at[0] = 0
    n = trim(text, n)
    if n == 0:
        return OK
    while True:
        at[0] = i
        if count[0] == cap:
            return OVERRUN
        step = 0
        if skip:
            skip -= 1
        elif ROUNDS_ONCE and n - i >= 16:
            if is_long:
                i += read_digits(text + i, n - i, out + count[0], cap - count[0], &read)
            if read == 0:
                step = read_short(text + i, out + count[0])
                if step == 0 and reads and not is_long:
                    i += read_digits(text + i, n - i, out + count[0], cap - count[0], &read)
            is_long = read > 0
            if is_long:
                count[0] += read
                read = misses = 0
                continue
            misses = 0 if step else min(misses + 1, MOST_MISSES)
            skip = (1 << misses) - 1
        i += step
        if step == 0:
            status = read_decimal(text, n, &i, out + count[0])
            if status != OK:
                return status
        count[0] += 1
        if i == n:
            return OK
        i += 1                                      # the backslash; the next component may be empty


cdef Status parse_integers(const uint8_t* text, Py_ssize_t n, int64_t* out, Py_ssize_t cap,
                           Py_ssize_t* count, Py_ssize_t* at) noexcept nogil:
    cdef Py_ssize_t i = 0
    cdef Status status
    count[0] = at[0] = 0
    n = trim(text, n)
    if n == 0:
        return OK
    while True:
        at[0] = i
        if count[0] == cap:
            return OVERRUN
        status = read_integer(text, n, &i, out + count[0])
        if status != OK:
            return status
        count[0] += 1
        if i == n:
            return OK
        i += 1


cdef Status parse_decimal(const uint8_t* text, Py_ssize_t n, double* out) noexcept nogil:
    cdef Py_ssize_t i = 0
    cdef Status status = read_decimal(text, n, &i, out)
    return CORRUPT if status == OK and i != n else status


cdef Status parse_integer(const uint8_t* text, Py_ssize_t n, int64_t* out) noexcept nogil:
    cdef Py_ssize_t i = 0
    cdef Status status = read_integer(text, n, &i, out)
    return CORRUPT if status == OK and i != n else status


def decimals(const uint8_t[::1] text not None):
    """The values of a Decimal String (PS3.5 6.2) as a float64 array, each equal to what float() returns.

    An empty component becomes NaN; a value of only padding becomes an empty array. Raises ParseError for a malformed
    component; its `offset` is the component's first byte.
    """
    cdef const uint8_t* start = &text[0] if text.shape[0] else NULL
    cdef Py_ssize_t n = text.shape[0], count, at
    cdef Status status
    import numpy as np                  # most programs ask for no array
    values = np.empty(count_values(start, n), np.float64)
    cdef double[::1] out = values
    with nogil:
        status = parse_decimals(start, n, &out[0] if out.shape[0] else NULL, out.shape[0], &count, &at)
    if status != OK:
        raise_fault(status, "Decimal String", at, ParseError)
    return values


def integers(const uint8_t[::1] text not None):
    """The values of an Integer String (PS3.5 6.2) as an int64 array, each equal to what int() returns; "1.0" is 1.

    Raises ParseError for a malformed component, whose first byte is its `offset`, and OverflowError for a component
    that int64 can't hold: a larger number, or an empty component among several.
    """
    cdef const uint8_t* start = &text[0] if text.shape[0] else NULL
    cdef Py_ssize_t n = text.shape[0], count, at
    cdef Status status
    import numpy as np
    values = np.empty(count_values(start, n), np.int64)
    cdef int64_t[::1] out = values
    with nogil:
        status = parse_integers(start, n, &out[0] if out.shape[0] else NULL, out.shape[0], &count, &at)
    if status == UNSUPPORTED:
        raise OverflowError(f"Integer String holds a value that int64 can't, at byte {at}")
    if status != OK:
        raise_fault(status, "Integer String", at, ParseError)
    return values


def decimal(const uint8_t[::1] text not None):
    """A single component of a Decimal String as a float, NaN if empty. Raises ParseError, also for a backslash."""
    cdef double value
    cdef Status status = parse_decimal(&text[0] if text.shape[0] else NULL, text.shape[0], &value)
    if status != OK:
        raise_fault(status, "Decimal String", 0, ParseError)
    return value


def integer(const uint8_t[::1] text not None):
    """A single component of an Integer String as an int. Raises like `integers`; OverflowError also if empty."""
    cdef int64_t value
    cdef Status status = parse_integer(&text[0] if text.shape[0] else NULL, text.shape[0], &value)
    if status == UNSUPPORTED:
        raise OverflowError("Integer String holds a value that int64 can't")
    if status != OK:
        raise_fault(status, "Integer String", 0, ParseError)
    return value
