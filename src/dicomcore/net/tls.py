"""TLS for associations and DICOMweb: the secure transport profiles of PS3.15 Annex B as contexts of `ssl`."""

from __future__ import annotations

import os
import ssl
from typing import NamedTuple

__all__ = ["PORT", "PROFILES", "RETIRED", "tls_context"]

PORT = 2762
"""The port for DIMSE over TLS (dicom-tls)."""


class Profile(NamedTuple):
    """A profile: its clause, its suites of TLS 1.2 as OpenSSL names them, and the least strength of keys."""

    clause: str
    suites: str


FORBIDDEN = "!aNULL:!eNULL:!kRSA:!kDH:!kECDH:!PSK:!SRP:!3DES:!RC4:!IDEA:!SEED:!ARIA:!MD5:!SHA1"
PROFILES = {
    "bcp195": Profile("PS3.15 B.12", f"ECDHE+AESGCM:{FORBIDDEN}"),
    "modified": Profile(
        "PS3.15 B.13",
        ":".join(
            (
                "ECDHE-ECDSA-AES256-GCM-SHA384",
                "ECDHE-RSA-AES256-GCM-SHA384",
                "ECDHE-ECDSA-AES256-CCM",
                "ECDHE-ECDSA-AES256-CCM8",
                "ECDHE-ECDSA-CHACHA20-POLY1305",
                "ECDHE-RSA-CHACHA20-POLY1305",
                "ECDHE-RSA-AES128-GCM-SHA256",
                "ECDHE-ECDSA-AES128-GCM-SHA256",
                "ECDHE-ECDSA-AES128-CCM",
                "ECDHE-ECDSA-AES128-CCM8",
            )
        ),
    ),
}
RETIRED = {
    "basic": "B.1, retired in 2018: 3DES and SHA-1",
    "iscl": "B.2, retired in 2018",
    "aes": "B.3, retired in 2018: TLS 1.0 and CBC",
    "bcp195-2015": "B.9, retired in 2022: it allows TLS 1.0",
    "non-downgrading": "B.10, retired in 2022: RFC 8996 and RFC 9325 replace what it names",
    "extended": "B.11, retired in 2022: RFC 8996 and RFC 9325 replace what it names",
}
Path = str | os.PathLike[str]


def tls_context(
    profile: str = "bcp195",
    *,
    server: bool = False,
    certificate: Path | None = None,
    key: Path | None = None,
    password: str | None = None,
    trust: Path | None = None,
    mutual: bool = True,
    check_hostname: bool = True,
) -> ssl.SSLContext:
    """A context for `associate` or `Server`, by a profile of PS3.15 Annex B.

    Parameters
    ----------
    profile : {"bcp195", "modified"}
        BCP 195 (B.12), or the modified one with its list of suites (B.13).
    server : bool
        For a server; else for a requestor.
    certificate, key : path, optional
        This side's certificate with its chain, and its key, in PEM; a server needs them.
    password : str, optional
        Of the key.
    trust : path, optional
        The certificates that sign those of peers, in PEM. The system's are never used for DIMSE: a hospital's devices
        are not the public's.
    mutual : bool
        A server asks peers for a certificate that it trusts.
    check_hostname : bool
        A requestor compares the name in the certificate with the host's.

    Returns
    -------
    ssl.SSLContext

    Raises
    ------
    ValueError
        A profile that is retired or unknown, or something that it needs is missing.
    OSError, ssl.SSLError
        A file cannot be read.
    """
    found = PROFILES.get(profile)
    if found is None:
        if profile in RETIRED:
            raise ValueError(f"the profile {profile!r} is retired (PS3.15 {RETIRED[profile]})")
        raise ValueError(f"{profile!r} is no profile; they are {', '.join(PROFILES)}")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_COMPRESSION
    if hasattr(ssl, "OP_NO_RENEGOTIATION"):
        made.options |= ssl.OP_NO_RENEGOTIATION
    made.set_ciphers(found.suites)
    made.set_alpn_protocols(["dicom"])
    if certificate is not None:
        made.load_cert_chain(certificate, key, password)
    elif server:
        raise ValueError("a server needs a certificate")
    if trust is not None:
        made.load_verify_locations(trust)
    elif mutual or not server:
        raise ValueError("trust is needed: the certificates that sign those of peers")
    if server:
        made.verify_mode = ssl.CERT_REQUIRED if mutual else ssl.CERT_NONE
    else:
        made.check_hostname = check_hostname
    return made
