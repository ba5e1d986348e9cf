/* How transfer syntaxes code pixel data.
 *
 * Made by `python tools/make_tables.py`; edit that, not this.
 * Input: dicomcore/syntaxes.py. */
#ifndef DICOMCORE_CODINGS_H
#define DICOMCORE_CODINGS_H

#include <stdint.h>

enum { CODING_UNKNOWN, CODING_NATIVE, CODING_BASELINE, CODING_LOSSY, CODING_RLE, CODING_WAVELET, CODING_FRAMES, CODING_VIDEO, CODING_JOINT };

typedef struct { uint8_t coding, length; const char *uid; } coding_row_t;
#define CODING_COUNT 42
static const coding_row_t CODING_ROWS[42] = {
    {CODING_NATIVE, 17, "1.2.840.10008.1.2"},  /* ImplicitVRLittleEndian */
    {CODING_NATIVE, 19, "1.2.840.10008.1.2.1"},  /* ExplicitVRLittleEndian */
    {CODING_NATIVE, 19, "1.2.840.10008.1.2.2"},  /* ExplicitVRBigEndian */
    {CODING_NATIVE, 22, "1.2.840.10008.1.2.1.99"},  /* DeflatedExplicitVRLittleEndian */
    {CODING_NATIVE, 18, "1.2.840.113619.5.2"},  /* GEPrivateImplicitVRBigEndianPixels */
    {CODING_FRAMES, 22, "1.2.840.10008.1.2.1.98"},  /* EncapsulatedUncompressedExplicitVRLittleEndian */
    {CODING_FRAMES, 21, "1.2.840.10008.1.2.8.1"},  /* DeflatedImageFrameCompression */
    {CODING_RLE, 19, "1.2.840.10008.1.2.5"},  /* RLELossless */
    {CODING_BASELINE, 22, "1.2.840.10008.1.2.4.50"},  /* JPEGBaseline8Bit */
    {CODING_LOSSY, 22, "1.2.840.10008.1.2.4.51"},  /* JPEGExtended12Bit */
    {CODING_LOSSY, 22, "1.2.840.10008.1.2.4.53"},  /* JPEGSpectralSelectionNonHierarchical68 */
    {CODING_LOSSY, 22, "1.2.840.10008.1.2.4.55"},  /* JPEGFullProgressionNonHierarchical1012 */
    {CODING_FRAMES, 22, "1.2.840.10008.1.2.4.57"},  /* JPEGLossless */
    {CODING_FRAMES, 22, "1.2.840.10008.1.2.4.70"},  /* JPEGLosslessSV1 */
    {CODING_FRAMES, 22, "1.2.840.10008.1.2.4.80"},  /* JPEGLSLossless */
    {CODING_FRAMES, 22, "1.2.840.10008.1.2.4.81"},  /* JPEGLSNearLossless */
    {CODING_WAVELET, 22, "1.2.840.10008.1.2.4.90"},  /* JPEG2000Lossless */
    {CODING_WAVELET, 22, "1.2.840.10008.1.2.4.91"},  /* JPEG2000 */
    {CODING_JOINT, 22, "1.2.840.10008.1.2.4.92"},  /* JPEG2000MCLossless */
    {CODING_JOINT, 22, "1.2.840.10008.1.2.4.93"},  /* JPEG2000MC */
    {CODING_FRAMES, 23, "1.2.840.10008.1.2.4.110"},  /* JPEGXLLossless */
    {CODING_FRAMES, 23, "1.2.840.10008.1.2.4.111"},  /* JPEGXLJPEGRecompression */
    {CODING_FRAMES, 23, "1.2.840.10008.1.2.4.112"},  /* JPEGXL */
    {CODING_WAVELET, 23, "1.2.840.10008.1.2.4.201"},  /* HTJ2KLossless */
    {CODING_WAVELET, 23, "1.2.840.10008.1.2.4.202"},  /* HTJ2KLosslessRPCL */
    {CODING_WAVELET, 23, "1.2.840.10008.1.2.4.203"},  /* HTJ2K */
    {CODING_VIDEO, 23, "1.2.840.10008.1.2.4.100"},  /* MPEG2MPML */
    {CODING_VIDEO, 25, "1.2.840.10008.1.2.4.100.1"},  /* MPEG2MPMLF */
    {CODING_VIDEO, 23, "1.2.840.10008.1.2.4.101"},  /* MPEG2MPHL */
    {CODING_VIDEO, 25, "1.2.840.10008.1.2.4.101.1"},  /* MPEG2MPHLF */
    {CODING_VIDEO, 23, "1.2.840.10008.1.2.4.102"},  /* MPEG4HP41 */
    {CODING_VIDEO, 25, "1.2.840.10008.1.2.4.102.1"},  /* MPEG4HP41F */
    {CODING_VIDEO, 23, "1.2.840.10008.1.2.4.103"},  /* MPEG4HP41BD */
    {CODING_VIDEO, 25, "1.2.840.10008.1.2.4.103.1"},  /* MPEG4HP41BDF */
    {CODING_VIDEO, 23, "1.2.840.10008.1.2.4.104"},  /* MPEG4HP422D */
    {CODING_VIDEO, 25, "1.2.840.10008.1.2.4.104.1"},  /* MPEG4HP422DF */
    {CODING_VIDEO, 23, "1.2.840.10008.1.2.4.105"},  /* MPEG4HP423D */
    {CODING_VIDEO, 25, "1.2.840.10008.1.2.4.105.1"},  /* MPEG4HP423DF */
    {CODING_VIDEO, 23, "1.2.840.10008.1.2.4.106"},  /* MPEG4HP42STEREO */
    {CODING_VIDEO, 25, "1.2.840.10008.1.2.4.106.1"},  /* MPEG4HP42STEREOF */
    {CODING_VIDEO, 23, "1.2.840.10008.1.2.4.107"},  /* HEVCMP51 */
    {CODING_VIDEO, 23, "1.2.840.10008.1.2.4.108"},  /* HEVCM10P51 */
};

#endif
