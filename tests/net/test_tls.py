"""TLS: the profiles of PS3.15 Annex B on loopback, and what they refuse."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from dicomcore import net
from dicomcore.errors import NetworkError
from tests.net.test_server import FILES, QUICK

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.mark.parametrize("profile", ["bcp195", "modified"])
def test_mutual(pair: tuple[Path, Path], tmp_path: Path, profile: str) -> None:
    certificate, key = pair
    ours = net.tls_context(profile, server=True, certificate=certificate, key=key, trust=certificate)
    theirs = net.tls_context(profile, certificate=certificate, key=key, trust=certificate)
    with net.Server(ae="SERVER", folder=tmp_path, tls=ours) as server:
        with net.associate(server.address, tls=theirs, timeouts=QUICK) as association:
            assert association.echo().status == 0
            assert [one.status for one in association.store(FILES)] == [0] * len(FILES)
        with pytest.raises(NetworkError):  # no certificate
            net.associate(server.address, tls=net.tls_context(profile, trust=certificate), timeouts=QUICK).echo()
        with pytest.raises(NetworkError):  # no TLS
            net.associate(server.address, timeouts=QUICK)


def test_a_certificate_that_is_not_trusted(pair: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = pair
    ours = net.tls_context(server=True, certificate=certificate, key=key, mutual=False)
    strange = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with net.Server(ae="SERVER", tls=ours) as server, pytest.raises(NetworkError, match="TLS"):
        net.associate(server.address, tls=strange, timeouts=QUICK)


def test_old_versions_are_refused(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    made = net.tls_context(server=True, certificate=certificate, key=key, trust=certificate)
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    names = {cipher["name"] for cipher in made.get_ciphers()}
    assert not any("CBC" in name or "RC4" in name or "SHA1" in name or name.endswith("-SHA") for name in names)
    assert all(name.startswith(("TLS_", "ECDHE-")) for name in names)


@pytest.mark.parametrize("profile", ["basic", "aes", "iscl", "non-downgrading", "nonsense"])
def test_retired_profiles_are_refused_by_name(profile: str) -> None:
    with pytest.raises(ValueError, match=profile):
        net.tls_context(profile)
