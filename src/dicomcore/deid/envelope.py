"""The recipients of enveloped data (RFC 5652 6.1), so that a private key is enough to open it.

`cryptography` finds the recipient by a certificate. Whoever has the key alone gets one here that has the issuer and the
serial number of each recipient, and the public half of the key; nothing else of it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dicomcore.errors import DeidError

__all__ = ["certificate_for", "whole_length"]

SEQUENCE, SET, INTEGER, CONTEXT_0 = 0x30, 0x31, 0x02, 0xA0
SHA256_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
VALIDITY = bytes.fromhex("301e170d3030303130313030303030305a170d3439313233313233353935395a")  # 2000 to 2049


def _header(data: bytes, at: int, stop: int) -> tuple[int, int, int]:
    """Type, start and end of the value at an offset (X.690 8.1). DeidError if it lies outside."""
    if stop - at < 2:
        raise DeidError("what is sealed is no enveloped data")
    kind, length, start = data[at], data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or size > stop - start:
            raise DeidError("what is sealed is no enveloped data")
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    if length > stop - start:
        raise DeidError("what is sealed is no enveloped data")
    return kind, start, start + length


def whole_length(data: bytes) -> int:
    """The bytes of enveloped data without the padding of its element."""
    return _header(data, 0, len(data))[2]


def _children(data: bytes, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Type, begin, start and end of each value in a constructed one."""
    while start < stop:
        kind, first, last = _header(data, start, stop)
        yield kind, start, first, last
        start = last


def _recipients(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Issuer and serial number of each recipient, as encoded."""
    _, start, stop = _header(data, 0, len(data))  # ContentInfo
    for kind, _, first, last in _children(data, start, stop):
        if kind != CONTEXT_0:
            continue
        _, first, last = _header(data, first, last)  # EnvelopedData
        for part, _, begin, end in _children(data, first, last):
            if part == SET:
                for _, _, one, other in _children(data, begin, end):
                    yield from _issuer_and_serial(data, one, other)


def _issuer_and_serial(data: bytes, start: int, stop: int) -> Iterator[tuple[bytes, bytes]]:
    parts = list(_children(data, start, stop))
    if len(parts) > 1 and parts[1][0] == SEQUENCE:
        pair = list(_children(data, parts[1][2], parts[1][3]))
        if len(pair) == 2 and pair[1][0] == INTEGER:
            yield data[pair[0][1] : pair[0][3]], data[pair[1][1] : pair[1][3]]


def _wrapped(kind: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((kind, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((kind, 0x80 | len(length))) + length + body


def certificate_for(content: bytes, key: Any) -> Iterator[Any]:
    """A certificate for each recipient of enveloped data, with the public half of `key`."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for issuer, serial in _recipients(content):
        version = _wrapped(CONTEXT_0, bytes.fromhex("020102"))
        signed = _wrapped(SEQUENCE, version, serial, SHA256_RSA, issuer, VALIDITY, issuer, public)
        yield x509.load_der_x509_certificate(_wrapped(SEQUENCE, signed, SHA256_RSA, bytes.fromhex("030100")))
