"""The table of transfer syntaxes: each row has all facts that depend on the UID (PS3.5 Annex A, PS3.6 Table A-1).

All code takes facts about transfer syntaxes from here, and no other file spells their UIDs. `tools/make_tables.py` runs
this file alone to write the native tables, so it must import nothing but `records`.
"""

from __future__ import annotations

from dicomcore.records import NamedTuple

__all__ = ["BY_UID", "NATIVE", "SYNTAXES", "Syntax", "syntax_of"]


class Syntax(NamedTuple):
    """A transfer syntax. The defaults are explicit VR little endian with pixel data in fragments, as PS3.5 A.4 states
    for all encapsulated transfer syntaxes. Unknown UIDs have these defaults."""

    uid: str
    keyword: str
    """The keyword of PS3.6, its name in `dicomcore.uids`; our own keyword if PS3.6 does not register the UID."""
    short_name: str = ""
    """The name on command lines; empty if no command accepts the transfer syntax."""
    implicit: bool = False
    """Elements have no VR (PS3.5 7.1.3)."""
    big_endian: bool = False
    """Elements are big endian."""
    big_endian_pixels: bool = False
    """The words of the pixel data are big endian."""
    deflated: bool = False
    """The data set behind the file meta information is deflated as a whole."""
    encapsulated: bool = True
    """Pixel data is in fragments (PS3.5 A.4)."""
    format: str = ""
    """The format of a frame's bytes, by which `pixels.coding.builtin` finds the decoder: "native" means samples,
    "uncompressed" samples in fragments. Empty for video and for formats that cannot be decoded."""
    video: str = ""
    """libav's name for the codec of a video."""
    method: str = ""
    """The term of Lossy Image Compression Method (PS3.3 C.7.6.1.1.5.1); empty for lossless compression."""
    encoder: str = ""
    """The name of its encoder in `pixels.coding.encoders`; empty if there is none."""
    taken_as: str = ""
    """The keyword of another transfer syntax that also allows these codestreams: they are copied into it unchanged."""
    name: str = ""
    """The name in PS3.6, if `tools/make_tables.py` does not find it in pydicom."""


# A codestream under a wrong label is assumed to be in the transfer syntax of the first row with its format.
SYNTAXES = (
    # Samples without fragments, in data sets that may be deflated (PS3.5 A.1 to A.3, A.5).
    Syntax("1.2.840.10008.1.2", "ImplicitVRLittleEndian", "implicit", implicit=True, encapsulated=False,
           format="native"),
    Syntax("1.2.840.10008.1.2.1", "ExplicitVRLittleEndian", "explicit", encapsulated=False, format="native"),
    Syntax("1.2.840.10008.1.2.2", "ExplicitVRBigEndian", "big-endian", big_endian=True, big_endian_pixels=True,
           encapsulated=False, format="native"),
    Syntax("1.2.840.10008.1.2.1.99", "DeflatedExplicitVRLittleEndian", "deflated", deflated=True, encapsulated=False,
           format="native"),
    Syntax("1.2.840.10008.1.20", "Papyrus3ImplicitVRLittleEndian", implicit=True, encapsulated=False),
    Syntax("1.2.840.113619.5.2", "GEPrivateImplicitVRBigEndianPixels", implicit=True, big_endian_pixels=True,
           encapsulated=False, format="native", name="GE private: implicit VR little endian header, big endian pixels"),
    # Samples in fragments, uncompressed or deflated frame by frame (PS3.5 A.4.11, A.4.13).
    Syntax("1.2.840.10008.1.2.1.98", "EncapsulatedUncompressedExplicitVRLittleEndian", "encapsulated",
           format="uncompressed", encoder="words"),
    Syntax("1.2.840.10008.1.2.8.1", "DeflatedImageFrameCompression", "deflated-frames", format="deflated",
           encoder="deflated", name="Deflated Image Frame Compression"),
    # RLE (PS3.5 A.4.2, Annex G).
    Syntax("1.2.840.10008.1.2.5", "RLELossless", "rle", format="RLE", encoder="RLE"),
    # JPEG (PS3.5 A.4.1, ITU-T T.81).
    Syntax("1.2.840.10008.1.2.4.50", "JPEGBaseline8Bit", "jpeg", format="JPEG", method="ISO_10918_1",
           encoder="JPEG baseline", taken_as="JPEGExtended12Bit"),
    Syntax("1.2.840.10008.1.2.4.51", "JPEGExtended12Bit", "jpeg-extended", format="JPEG", method="ISO_10918_1",
           encoder="JPEG extended"),
    Syntax("1.2.840.10008.1.2.4.52", "JPEGExtended35"),
    Syntax("1.2.840.10008.1.2.4.53", "JPEGSpectralSelectionNonHierarchical68", format="JPEG", method="ISO_10918_1"),
    Syntax("1.2.840.10008.1.2.4.54", "JPEGSpectralSelectionNonHierarchical79"),
    Syntax("1.2.840.10008.1.2.4.55", "JPEGFullProgressionNonHierarchical1012", format="JPEG", method="ISO_10918_1"),
    Syntax("1.2.840.10008.1.2.4.56", "JPEGFullProgressionNonHierarchical1113"),
    Syntax("1.2.840.10008.1.2.4.57", "JPEGLossless", "jpeg-lossless-14", format="JPEG lossless",
           encoder="JPEG lossless"),
    Syntax("1.2.840.10008.1.2.4.58", "JPEGLosslessNonHierarchical15"),
    Syntax("1.2.840.10008.1.2.4.59", "JPEGExtendedHierarchical1618"),
    Syntax("1.2.840.10008.1.2.4.60", "JPEGExtendedHierarchical1719"),
    Syntax("1.2.840.10008.1.2.4.61", "JPEGSpectralSelectionHierarchical2022"),
    Syntax("1.2.840.10008.1.2.4.62", "JPEGSpectralSelectionHierarchical2123"),
    Syntax("1.2.840.10008.1.2.4.63", "JPEGFullProgressionHierarchical2426"),
    Syntax("1.2.840.10008.1.2.4.64", "JPEGFullProgressionHierarchical2527"),
    Syntax("1.2.840.10008.1.2.4.65", "JPEGLosslessHierarchical28"),
    Syntax("1.2.840.10008.1.2.4.66", "JPEGLosslessHierarchical29"),
    Syntax("1.2.840.10008.1.2.4.70", "JPEGLosslessSV1", "jpeg-lossless", format="JPEG lossless",
           encoder="JPEG lossless", taken_as="JPEGLossless"),
    # JPEG-LS (PS3.5 A.4.3).
    Syntax("1.2.840.10008.1.2.4.80", "JPEGLSLossless", "jpeg-ls", format="JPEG-LS", encoder="JPEG-LS"),
    Syntax("1.2.840.10008.1.2.4.81", "JPEGLSNearLossless", "jpeg-ls-near", format="JPEG-LS", method="ISO_14495_1",
           encoder="JPEG-LS near-lossless"),
    # JPEG 2000 (PS3.5 A.4.4).
    Syntax("1.2.840.10008.1.2.4.90", "JPEG2000Lossless", "jpeg-2000", format="JPEG 2000", encoder="JPEG 2000"),
    Syntax("1.2.840.10008.1.2.4.91", "JPEG2000", "jpeg-2000-lossy", format="JPEG 2000", method="ISO_15444_1",
           encoder="JPEG 2000 lossy"),
    Syntax("1.2.840.10008.1.2.4.92", "JPEG2000MCLossless", format="JPEG 2000"),
    Syntax("1.2.840.10008.1.2.4.93", "JPEG2000MC", format="JPEG 2000", method="ISO_15444_2"),
    # JPEG XL.
    Syntax("1.2.840.10008.1.2.4.110", "JPEGXLLossless", "jpeg-xl", format="JPEG XL", encoder="JPEG XL",
           name="JPEG XL Lossless"),
    Syntax("1.2.840.10008.1.2.4.111", "JPEGXLJPEGRecompression", "jpeg-xl-jpeg", format="JPEG XL", method="ISO_10918_1",
           taken_as="JPEGXL", name="JPEG XL JPEG Recompression"),
    Syntax("1.2.840.10008.1.2.4.112", "JPEGXL", "jpeg-xl-lossy", format="JPEG XL", method="ISO_18181_1",
           encoder="JPEG XL lossy", name="JPEG XL"),
    # High-Throughput JPEG 2000 (PS3.5 A.4.4).
    Syntax("1.2.840.10008.1.2.4.201", "HTJ2KLossless", "htj2k", format="JPEG 2000", encoder="HTJ2K"),
    Syntax("1.2.840.10008.1.2.4.202", "HTJ2KLosslessRPCL", "htj2k-rpcl", format="JPEG 2000", encoder="HTJ2K",
           taken_as="HTJ2KLossless"),
    Syntax("1.2.840.10008.1.2.4.203", "HTJ2K", "htj2k-lossy", format="JPEG 2000", method="ISO_15444_15",
           encoder="HTJ2K lossy"),
    # Pixel data is on a JPIP server (PS3.5 A.6, A.7). If a deflated data set has pixel data nevertheless, it is native.
    Syntax("1.2.840.10008.1.2.4.94", "JPIPReferenced"),
    Syntax("1.2.840.10008.1.2.4.95", "JPIPReferencedDeflate", deflated=True, format="native"),
    Syntax("1.2.840.10008.1.2.4.204", "JPIPHTJ2KReferenced"),
    Syntax("1.2.840.10008.1.2.4.205", "JPIPHTJ2KReferencedDeflate", deflated=True, format="native"),
    # Video (PS3.5 8.2.5 to 8.2.8); under UIDs that end in .1, fragments may begin anywhere in the stream.
    Syntax("1.2.840.10008.1.2.4.100", "MPEG2MPML", video="mpeg2video", method="ISO_13818_2"),
    Syntax("1.2.840.10008.1.2.4.100.1", "MPEG2MPMLF", video="mpeg2video", method="ISO_13818_2"),
    Syntax("1.2.840.10008.1.2.4.101", "MPEG2MPHL", video="mpeg2video", method="ISO_13818_2"),
    Syntax("1.2.840.10008.1.2.4.101.1", "MPEG2MPHLF", video="mpeg2video", method="ISO_13818_2"),
    Syntax("1.2.840.10008.1.2.4.102", "MPEG4HP41", video="h264", method="ISO_14496_10"),
    Syntax("1.2.840.10008.1.2.4.102.1", "MPEG4HP41F", video="h264", method="ISO_14496_10"),
    Syntax("1.2.840.10008.1.2.4.103", "MPEG4HP41BD", video="h264", method="ISO_14496_10"),
    Syntax("1.2.840.10008.1.2.4.103.1", "MPEG4HP41BDF", video="h264", method="ISO_14496_10"),
    Syntax("1.2.840.10008.1.2.4.104", "MPEG4HP422D", video="h264", method="ISO_14496_10"),
    Syntax("1.2.840.10008.1.2.4.104.1", "MPEG4HP422DF", video="h264", method="ISO_14496_10"),
    Syntax("1.2.840.10008.1.2.4.105", "MPEG4HP423D", video="h264", method="ISO_14496_10"),
    Syntax("1.2.840.10008.1.2.4.105.1", "MPEG4HP423DF", video="h264", method="ISO_14496_10"),
    Syntax("1.2.840.10008.1.2.4.106", "MPEG4HP42STEREO", video="h264", method="ISO_14496_10"),
    Syntax("1.2.840.10008.1.2.4.106.1", "MPEG4HP42STEREOF", video="h264", method="ISO_14496_10"),
    Syntax("1.2.840.10008.1.2.4.107", "HEVCMP51", video="hevc", method="ISO_23008_2"),
    Syntax("1.2.840.10008.1.2.4.108", "HEVCM10P51", video="hevc", method="ISO_23008_2"),
    # Not for data sets in files: retired encodings of reports, and real-time video (PS3.22).
    Syntax("1.2.840.10008.1.2.6.1", "RFC2557MIMEEncapsulation"),
    Syntax("1.2.840.10008.1.2.6.2", "XMLEncoding"),
    Syntax("1.2.840.10008.1.2.7.1", "SMPTEST211020UncompressedProgressiveActiveVideo"),
    Syntax("1.2.840.10008.1.2.7.2", "SMPTEST211020UncompressedInterlacedActiveVideo"),
    Syntax("1.2.840.10008.1.2.7.3", "SMPTEST211030PCMDigitalAudio"),
)  # fmt: skip

BY_UID = {syntax.uid: syntax for syntax in SYNTAXES}

NATIVE = frozenset(syntax.uid for syntax in SYNTAXES if syntax.format in ("native", "uncompressed"))
"""The transfer syntaxes whose frames are samples, in fragments or not."""


def syntax_of(uid: str) -> Syntax:
    """The row of a transfer syntax; for a UID that is not in the table, a row with the defaults."""
    return BY_UID.get(uid) or Syntax(uid, "")
