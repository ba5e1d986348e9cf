/* Transfer syntaxes that do not encode data sets in explicit VR little endian, undeflated (PS3.5 Annex A).
 *
 * Made by `python tools/make_tables.py`; edit that, not this.
 * Input: dicomcore/syntaxes.py. */
#ifndef DICOMCORE_SYNTAXES_H
#define DICOMCORE_SYNTAXES_H

#include <stdint.h>

enum { SYNTAX_IMPLICIT = 1, SYNTAX_BIG_ENDIAN = 2, SYNTAX_DEFLATED = 4 };

typedef struct { uint8_t flags, length; const char *uid; } syntax_row_t;
#define SYNTAX_COUNT 7
static const syntax_row_t SYNTAX_ROWS[7] = {
    {1, 17, "1.2.840.10008.1.2"},  /* ImplicitVRLittleEndian */
    {2, 19, "1.2.840.10008.1.2.2"},  /* ExplicitVRBigEndian */
    {4, 22, "1.2.840.10008.1.2.1.99"},  /* DeflatedExplicitVRLittleEndian */
    {1, 18, "1.2.840.10008.1.20"},  /* Papyrus3ImplicitVRLittleEndian */
    {1, 18, "1.2.840.113619.5.2"},  /* GEPrivateImplicitVRBigEndianPixels */
    {4, 22, "1.2.840.10008.1.2.4.95"},  /* JPIPReferencedDeflate */
    {4, 23, "1.2.840.10008.1.2.4.205"},  /* JPIPHTJ2KReferencedDeflate */
};

#endif
