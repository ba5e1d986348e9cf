/* How an explicit element's header goes on behind its VR, by the VR's two letters (PS3.5 Table 7.1-1). */
#ifndef DICOMCORE_VR_H
#define DICOMCORE_VR_H

#include <stdint.h>

enum { VR_UNKNOWN, VR_SHORT, VR_LONG, VR_SEQUENCE, VR_UNTYPED };

/* five bits of each letter: A is 1 */
#define VR_CELL(a, b) [((a) & 31) | ((b) & 31) << 5]

static const uint8_t VR_FORM[32 * 32] = {
    VR_CELL('A', 'E') = VR_SHORT,
    VR_CELL('A', 'S') = VR_SHORT,
    VR_CELL('A', 'T') = VR_SHORT,
    VR_CELL('C', 'S') = VR_SHORT,
    VR_CELL('D', 'A') = VR_SHORT,
    VR_CELL('D', 'S') = VR_SHORT,
    VR_CELL('D', 'T') = VR_SHORT,
    VR_CELL('F', 'D') = VR_SHORT,
    VR_CELL('F', 'L') = VR_SHORT,
    VR_CELL('I', 'S') = VR_SHORT,
    VR_CELL('L', 'O') = VR_SHORT,
    VR_CELL('L', 'T') = VR_SHORT,
    VR_CELL('O', 'B') = VR_LONG,
    VR_CELL('O', 'D') = VR_LONG,
    VR_CELL('O', 'F') = VR_LONG,
    VR_CELL('O', 'L') = VR_LONG,
    VR_CELL('O', 'V') = VR_LONG,
    VR_CELL('O', 'W') = VR_LONG,
    VR_CELL('P', 'N') = VR_SHORT,
    VR_CELL('S', 'H') = VR_SHORT,
    VR_CELL('S', 'L') = VR_SHORT,
    VR_CELL('S', 'Q') = VR_SEQUENCE,
    VR_CELL('S', 'S') = VR_SHORT,
    VR_CELL('S', 'T') = VR_SHORT,
    VR_CELL('S', 'V') = VR_LONG,
    VR_CELL('T', 'M') = VR_SHORT,
    VR_CELL('U', 'C') = VR_LONG,
    VR_CELL('U', 'I') = VR_SHORT,
    VR_CELL('U', 'L') = VR_SHORT,
    VR_CELL('U', 'N') = VR_UNTYPED,
    VR_CELL('U', 'R') = VR_LONG,
    VR_CELL('U', 'S') = VR_SHORT,
    VR_CELL('U', 'T') = VR_LONG,
    VR_CELL('U', 'V') = VR_LONG,
};

#endif
