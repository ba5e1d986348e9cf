"""Sealed originals: what was changed, encrypted for those who may read it (PS3.15 E.1.1, PS3.3 C.12.1.1.4).

The encryption is the Cryptographic Message Syntax (RFC 5652) with AES-256 and RSA, by the library `cryptography`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dicomcore.dataset import DataElement, Dataset
from dicomcore.deid.envelope import certificate_for, whole_length
from dicomcore.encoding import decode, encode
from dicomcore.errors import DeidError, DicomError
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.uids import ExplicitVRLittleEndian

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

__all__ = ["Seal", "reveal"]

ENCRYPTED, MODIFIED = 0x04000500, 0x04000550
MOST_BYTES = 1 << 20  # of an element that is sealed; pixel data and other bulk are not
SYNTAX = str(ExplicitVRLittleEndian)
OWN = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303, ENCRYPTED})  # what de-identification adds


def _cryptography() -> Any:
    try:
        from cryptography.hazmat.primitives.serialization import pkcs7
    except ModuleNotFoundError:
        raise ModuleNotFoundError("sealed originals need the extra: pip install dicomcore[secure]") from None
    return pkcs7


class Seal:
    """Certificates of those who may read the originals; each of their keys opens the seal alone.

    `certificates` are paths of PEM files, or certificates of `cryptography`, with RSA keys. Raises ValueError for
    anything else, and ModuleNotFoundError without `cryptography`.
    """

    def __init__(self, certificates: Any) -> None:
        _cryptography()
        if isinstance(certificates, str | os.PathLike) or not isinstance(certificates, Iterable):
            certificates = [certificates]
        self._certificates = [one for given in certificates for one in _certificates(given)]
        if not self._certificates:
            raise ValueError("a seal needs the certificate of someone who may open it")

    def __repr__(self) -> str:
        return f"<Seal for {len(self._certificates)} certificates>"

    def element(self, original: Dataset, made: Dataset) -> DataElement | None:
        """Encrypted Attributes Sequence for what `made` has otherwise than `original`; None if nothing."""
        changed = Dataset()
        for element in _differing(original, made):
            changed.add(element)
        if not len(changed):
            return None
        item, holder = Dataset(), Dataset()
        if "SpecificCharacterSet" in original:
            changed.SpecificCharacterSet = original.SpecificCharacterSet
        holder.ModifiedAttributesSequence = [changed]
        item.EncryptedContentTransferSyntaxUID = SYNTAX
        item.EncryptedContent = self._enveloped(encode(holder, SYNTAX))
        sealed = Dataset()
        sealed.EncryptedAttributesSequence = [item]
        return sealed[ENCRYPTED]

    def _enveloped(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.algorithms import AES256
        from cryptography.hazmat.primitives.serialization import Encoding

        pkcs7 = _cryptography()
        builder = pkcs7.PKCS7EnvelopeBuilder().set_data(data).set_content_encryption_algorithm(AES256)
        for certificate in self._certificates:
            builder = builder.add_recipient(certificate)
        made = bytes(builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary]))
        return made + b"\0" * (len(made) & 1)


def _certificates(given: Any) -> Iterator[Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    if isinstance(given, str | os.PathLike):
        with open(given, "rb") as file:
            found = x509.load_pem_x509_certificates(file.read())
    else:
        found = [given]
    for one in found:
        if not isinstance(one, x509.Certificate) or not isinstance(one.public_key(), RSAPublicKey):
            raise ValueError("a seal needs certificates with RSA keys")
        yield one


def _differing(original: Dataset, made: Dataset) -> Iterator[DataElement]:
    """The top-level elements that are not as they were, without bulk data."""
    for element in original:
        tag = int(element.tag)
        if tag in OWN or element.tag.group in (2, 0x7FE0):
            continue
        if tag in made and _bytes_of(element, original) == _bytes_of(made[tag], made):
            continue
        if len(_bytes_of(element, original)) <= MOST_BYTES:
            yield element


def _bytes_of(element: DataElement, around: Dataset) -> bytes:
    alone = Dataset()
    if "SpecificCharacterSet" in around:
        alone.SpecificCharacterSet = around.SpecificCharacterSet
    alone.add(element)
    return encode(alone, SYNTAX)


def reveal(source: Any, private_key: Any, *, password: bytes | None = None, limits: Limits | None = None) -> Dataset:
    """The original of a data set whose originals are sealed: what was encrypted is put back.

    Parameters
    ----------
    source : Dataset or source as for `dcmread`
        A de-identified object with an Encrypted Attributes Sequence.
    private_key : path or RSA private key
        The key of one of the certificates that it was sealed for, in PEM.
    password : bytes, optional
        Of the key.
    limits : Limits, optional
        Bounds on what is accepted.

    Returns
    -------
    Dataset
        A copy with the originals, without what says that it was de-identified.

    Raises
    ------
    DeidError
        Nothing is sealed, or the key does not open it.
    """
    ds = source.copy() if isinstance(source, Dataset) else dcmread(source, limits=limits)
    items = ds.get("EncryptedAttributesSequence")
    if not isinstance(items, list) or not items:
        raise DeidError("nothing is sealed: it has no Encrypted Attributes Sequence")
    key = _key(private_key, password)
    for item in items:
        opened = _opened(item, key, limits)
        if opened is not None:
            break
    else:
        raise DeidError("the key opens nothing of what is sealed")
    for tag in OWN:
        if tag in ds:
            del ds[tag]
    for part in opened.get("ModifiedAttributesSequence") or []:
        for element in part:
            ds[element.tag] = element
    return ds


def _key(given: Any, password: bytes | None) -> Any:
    _cryptography()
    if not isinstance(given, str | os.PathLike):
        return given
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    with open(given, "rb") as file:
        return load_pem_private_key(file.read(), password)


def _opened(item: Dataset, key: Any, limits: Limits | None) -> Dataset | None:
    """The data set of one item; None if the key is not the right one."""
    content = item.get("EncryptedContent")
    syntax = str(item.get("EncryptedContentTransferSyntaxUID") or SYNTAX)
    if not isinstance(content, bytes):
        return None
    pkcs7 = _cryptography()
    for certificate in certificate_for(content, key):
        try:
            data = pkcs7.pkcs7_decrypt_der(content[: whole_length(content)], certificate, key, [])
        except ValueError:
            continue
        opened = _read(data, syntax, limits)
        if opened is not None:
            return opened
    return None


def _read(data: bytes, syntax: str, limits: Limits | None) -> Dataset | None:
    """What was sealed; None for anything else. A wrong key gives random bytes now and then, and no error."""
    try:
        ds = decode(data, syntax, limits=limits)
        return ds if ds.keys() == [MODIFIED] and isinstance(ds[MODIFIED].value, list) and not ds.issues else None
    except DicomError:
        return None
