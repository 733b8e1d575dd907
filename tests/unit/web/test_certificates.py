"""Certificates: made once, read again when they change, refused when they are no good."""

import ipaddress
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from glimpser.core.errors import Misconfigured
from glimpser.testing.clock import START
from glimpser.web.certificates import (
    LIFETIME,
    Certificates,
    Tls,
    fingerprint,
    hosts_of_this_machine,
    self_signed,
)

HOSTS = ["cams.example.org", "localhost", "192.0.2.7", "2001:db8::7"]


def made(directory: Path, **passed: float) -> Tls:
    return self_signed(directory, HOSTS, now=START + timedelta(**passed))


def certificate(tls: Tls) -> x509.Certificate:
    return x509.load_pem_x509_certificate(tls.certificate.read_bytes())


def test_a_certificate_names_the_machine_and_its_key_is_nobody_elses(tmp_path: Path) -> None:
    tls = made(tmp_path / "tls")

    names = certificate(tls).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["cams.example.org", "localhost"]
    assert names.get_values_for_type(x509.IPAddress) == list(map(ipaddress.ip_address, HOSTS[2:]))
    assert (tls.key.stat().st_mode & 0o777, tls.key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert certificate(tls).not_valid_before_utc < START
    assert len(fingerprint(tls)) == 32 * 3 - 1


def test_it_is_made_once(tmp_path: Path) -> None:
    first = fingerprint(made(tmp_path / "tls"))

    assert fingerprint(made(tmp_path / "tls", days=700)) == first


def test_one_that_is_about_to_end_is_made_anew(tmp_path: Path) -> None:
    first = fingerprint(made(tmp_path / "tls"))

    assert fingerprint(made(tmp_path / "tls", days=LIFETIME.days - 20)) != first


@pytest.mark.parametrize("name", ["self-signed.crt", "self-signed.key"])
@pytest.mark.parametrize("left", [b"", b"-----BEGIN CERTIFICATE-----\n", None], ids=["empty", "cut", "gone"])
def test_one_that_a_crash_left_half_is_made_anew(tmp_path: Path, name: str, left: bytes | None) -> None:
    made(tmp_path)
    if left is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(left)

    Certificates(made(tmp_path))

    assert (tmp_path / name).read_bytes().endswith(b"-----\n")


def test_a_link_in_place_of_the_key_is_not_written_through(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    directory = tmp_path / "tls"
    directory.mkdir()
    for name in ("self-signed.key", "self-signed.new"):
        (directory / name).symlink_to(precious)

    made(directory)

    assert precious.read_text() == "mine"


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Misconfigured, match=r"server\.tls\.mode"):
        made(tmp_path / "file" / "tls")


def test_this_machine_has_names() -> None:
    hosts = hosts_of_this_machine(["", "0.0.0.0", "cams.example.org"])

    assert hosts[:4] == ["cams.example.org", "localhost", "127.0.0.1", "::1"]
    assert len(hosts) == len(set(hosts))


def test_renewed_files_are_shown_from_then_on(tmp_path: Path) -> None:
    tls = made(tmp_path / "mine")
    certificates = Certificates(tls)
    context = certificates.context
    assert not certificates.follow()
    other = made(tmp_path / "other")
    other.key.replace(tls.key)
    assert not certificates.follow()  # the certificate is still another's: the old pair goes on

    other.certificate.replace(tls.certificate)

    assert certificates.follow()
    assert certificates.context is context
    assert not certificates.follow()


@pytest.mark.parametrize("name", ["certificate", "key"])
@pytest.mark.parametrize("content", [None, b"", b"nothing of this kind"], ids=["gone", "empty", "garbage"])
def test_files_that_are_no_good_stop_the_start(tmp_path: Path, name: str, content: bytes | None) -> None:
    tls = made(tmp_path)
    path = getattr(tls, name)
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(Misconfigured, match=r"server\.tls\.key"):
        Certificates(tls)


def test_a_key_with_a_passphrase_is_refused_without_a_question(tmp_path: Path) -> None:
    tls = made(tmp_path)
    key = serialization.load_pem_private_key(tls.key.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    tls.key.write_bytes(locked)

    with pytest.raises(Misconfigured, match="without a passphrase"):
        Certificates(tls)


def test_old_versions_of_tls_are_not_spoken(tmp_path: Path) -> None:
    context = Certificates(made(tmp_path)).context

    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
