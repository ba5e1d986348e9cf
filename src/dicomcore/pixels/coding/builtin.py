"""The transfer syntaxes that come with dicomcore (PS3.5 Annex A), put into the registry on import."""

from __future__ import annotations

from dicomcore.pixels.coding import foreign, own, registry, uncompressed
from dicomcore.pixels.coding.headers import read_j2k, read_jpeg, read_jxl

__all__ = ["IMAGECODECS", "NATIVE"]

IMAGECODECS = registry.Requirement("imagecodecs", "pip install imagecodecs")

NATIVE = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.98",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.113619.5.2",
    "1.2.840.10008.1.2.4.95",  # JPIP referenced, deflated: pixels, if there are any, are native
    "1.2.840.10008.1.2.4.205",
)
JPEG = ("50", "51", "53", "55")
JPEG_LOSSLESS = ("57", "70")
JPEG_LS = ("80", "81")
JPEG_2000 = ("90", "91", "92", "93", "201", "202", "203")
JPEG_XL = ("110", "111", "112")


def _fill() -> None:
    for uid in NATIVE:
        registry.register(uid, uncompressed.decode_native, name="dicomcore", trusted=True)
    registry.register("1.2.840.10008.1.2.1.98", uncompressed.decode_encapsulated, name="dicomcore", trusted=True)
    registry.register("1.2.840.10008.1.2.8.1", uncompressed.decode_deflated, name="dicomcore", trusted=True)
    registry.register("1.2.840.10008.1.2.5", own.decode_rle, name="dicomcore", trusted=True)
    for ends, decoder, name, read_header, requires in (
        (JPEG_LOSSLESS, own.decode_jpeg_lossless, "dicomcore", read_jpeg, None),
        (JPEG, foreign.decode_jpeg, "imagecodecs (libjpeg-turbo)", read_jpeg, IMAGECODECS),
        (JPEG_LS, foreign.decode_jpeg_ls, "imagecodecs (CharLS)", read_jpeg, IMAGECODECS),
        (JPEG_2000, foreign.decode_jpeg2000, "imagecodecs (OpenJPEG)", read_j2k, IMAGECODECS),
        (JPEG_XL, foreign.decode_jpeg_xl, "imagecodecs (libjxl)", read_jxl, IMAGECODECS),
    ):
        for end in ends:
            uid = f"1.2.840.10008.1.2.4.{end}"
            trusted = requires is None
            registry.register(uid, decoder, name=name, requires=requires, read_header=read_header, trusted=trusted)


_fill()
