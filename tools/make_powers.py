"""Print src/dicomcore/_native/base/tables/powers.h: the powers of ten that number.pyx multiplies by.

Run: python tools/make_powers.py > src/dicomcore/_native/base/tables/powers.h
"""

from __future__ import annotations

# 64-bit significand times 10^q: below MIN_POWER it rounds to zero, above MAX_POWER to infinity.
MIN_POWER = -342
MAX_POWER = 308
EXACT_POWER = 22  # the largest power of ten a double holds exactly
WORD_POWER = 19  # the largest power of ten a uint64 holds

HEAD = """\
/* Made by: python tools/make_powers.py > src/dicomcore/_native/base/tables/powers.h */
#ifndef DICOMCORE_POWERS_H
#define DICOMCORE_POWERS_H

#include <stdint.h>
"""


def significand(q: int) -> int:
    """The 128 leading bits of 10^q's binary expansion, which are those of 5^q; rounded up for q < 0.

    A truncated reciprocal would lie below the true value and make exact halves look like less than a half
    (Lemire, Number parsing at a gigabyte per second, section 6).
    """
    five = 5 ** abs(q)
    if q >= 0:
        shift = five.bit_length() - 128
        return five >> shift if shift > 0 else five << -shift
    return (1 << (five.bit_length() + 127)) // five + 1


def words(value: int) -> str:
    """Two uint64 literals, the more significant one first."""
    assert value.bit_length() == 128
    return f"0x{value >> 64:016x}u, 0x{value & (1 << 64) - 1:016x}u"


def render() -> str:
    """The header's text."""
    lines = [HEAD, f"#define POWER_MIN {MIN_POWER}", f"#define POWER_MAX {MAX_POWER}", ""]
    lines.append(f"static const uint64_t POWER_BITS[{MAX_POWER - MIN_POWER + 1}][2] = {{")
    lines += [f"    {{{words(significand(q))}}}," for q in range(MIN_POWER, MAX_POWER + 1)]
    lines += ["};", "", f"static const double TEN_DOUBLE[{EXACT_POWER + 1}] = {{"]
    lines += [f"    1e{q}," for q in range(EXACT_POWER + 1)]
    lines += ["};", "", f"static const uint64_t TEN_WORD[{WORD_POWER + 1}] = {{"]
    lines += [f"    {10**q}u," for q in range(WORD_POWER + 1)]
    return "\n".join([*lines, "};", "", "#endif", ""])


if __name__ == "__main__":
    print(render(), end="")
