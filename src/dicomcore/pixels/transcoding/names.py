"""Transfer syntaxes by short names, as a command line wants them."""

from __future__ import annotations

from dicomcore.uids import UID, uid_for_keyword

__all__ = ["NAMES", "syntax_named"]

NAMES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "big-endian": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
    "encapsulated": "1.2.840.10008.1.2.1.98",
    "deflated-frames": "1.2.840.10008.1.2.8.1",
    "rle": "1.2.840.10008.1.2.5",
    "jpeg": "1.2.840.10008.1.2.4.50",
    "jpeg-extended": "1.2.840.10008.1.2.4.51",
    "jpeg-lossless": "1.2.840.10008.1.2.4.70",
    "jpeg-lossless-14": "1.2.840.10008.1.2.4.57",
    "jpeg-ls": "1.2.840.10008.1.2.4.80",
    "jpeg-ls-near": "1.2.840.10008.1.2.4.81",
    "jpeg-2000": "1.2.840.10008.1.2.4.90",
    "jpeg-2000-lossy": "1.2.840.10008.1.2.4.91",
    "jpeg-xl": "1.2.840.10008.1.2.4.110",
    "jpeg-xl-jpeg": "1.2.840.10008.1.2.4.111",
    "jpeg-xl-lossy": "1.2.840.10008.1.2.4.112",
    "htj2k": "1.2.840.10008.1.2.4.201",
    "htj2k-rpcl": "1.2.840.10008.1.2.4.202",
    "htj2k-lossy": "1.2.840.10008.1.2.4.203",
}


def syntax_named(name: str) -> UID:
    """The transfer syntax with a short name, a keyword or a UID; ValueError where it is none."""
    text = str(name).strip()
    found = UID(NAMES.get(text.lower(), "")) or uid_for_keyword(text) or UID(text)
    if not found.is_transfer_syntax and not (found.is_valid and found.is_private):
        raise ValueError(f"{name!r} is no transfer syntax; names are {', '.join(NAMES)}, keywords or UIDs")
    return found
