"""TLS: certificates (X.509, RFC 5280) from files, read again when they change, or one made here.

Blocking calls of some milliseconds.
"""

import contextlib
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from glimpser.core.errors import Misconfigured

_log = structlog.get_logger(__name__)

LIFETIME = timedelta(days=825)
"""The longest that Apple's systems accept of a certificate people have trusted by hand."""
RENEWED = timedelta(days=30)
"""A program that starts so long before the end makes a new certificate."""
_BACKDATED = timedelta(hours=1)
"""Against clients whose clocks are behind."""
_NO_PASSPHRASE = ""


@dataclass(frozen=True, slots=True)
class Tls:
    """Where certificate (with its chain) and key lie, both PEM (RFC 7468).

    Nobody can check a certificate that was `made_here` but by its fingerprint.
    """

    certificate: Path
    key: Path
    made_here: bool = False


class Certificates:
    """What a server shows its clients: follows the files, and keeps what it has while they are no good."""

    def __init__(self, tls: Tls) -> None:
        """Read them.

        Raises:
            Misconfigured: they cannot be read, or do not belong together.
        """
        self._tls = tls
        self._seen = self._times()
        self.context = _context(tls)

    def follow(self) -> bool:
        """Read the files again if they have changed, for all connections from now on; tell whether it did."""
        times = self._times()
        if times == self._seen:
            return False
        self._seen = times
        try:
            _context(self._tls)  # a context is left half changed by a file that is no good
            self.context.load_cert_chain(self._tls.certificate, self._tls.key, _NO_PASSPHRASE)
        except (Misconfigured, OSError) as error:
            _log.error("tls.reload_failed", reason=str(error))
            return False
        _log.info("tls.reloaded", certificate=str(self._tls.certificate))
        return True

    def _times(self) -> Sequence[int]:
        return [_changed_ns(path) for path in (self._tls.certificate, self._tls.key)]


def self_signed(directory: Path, hosts: Sequence[str], *, now: datetime) -> Tls:
    """Make a certificate for these names and addresses, or take the one that was made here before.

    It is made anew when it is about to end. Who trusts it knows it by its fingerprint, so nothing else
    changes it; to have it made anew, remove the directory.

    Raises:
        Misconfigured: the directory cannot be written.
    """
    tls = Tls(directory / "self-signed.crt", directory / "self-signed.key", made_here=True)
    try:
        if not _is_good(tls, now):
            directory.mkdir(mode=0o700, exist_ok=True)
            key = ec.generate_private_key(ec.SECP256R1())
            _write(tls.key, _pem_of_key(key))
            _write(tls.certificate, _signed(key, hosts, now).public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        raise Misconfigured(
            f"The certificate in {directory} cannot be read or made ({error.strerror}): mend its permissions,"
            " or set server.tls.mode to files or off."
        ) from error
    return tls


def fingerprint(tls: Tls) -> str:
    """Give the SHA-256 of the certificate as browsers show it."""
    certificate = x509.load_pem_x509_certificate(tls.certificate.read_bytes())
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def hosts_of_this_machine(configured: Sequence[str]) -> Sequence[str]:
    """Give the names and addresses clients may find this machine by, those that are configured first."""
    name = socket.gethostname()
    found = [*configured, "localhost", "127.0.0.1", "::1", name, f"{name}.local", *_addresses(name)]
    return list(dict.fromkeys(host for host in found if host not in ("", "0.0.0.0", "::")))  # noqa: S104


def _addresses(name: str) -> Iterator[str]:
    """Ask the resolver for this machine's addresses, and the routing table for the one it leaves by.

    To connect a datagram socket sends nothing; its far end is an address for documentation (RFC 5737, 3849).
    """
    with contextlib.suppress(OSError):
        yield from {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(name, None)}
    for family, far_end in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((far_end, 9))
                yield str(probe.getsockname()[0])
        except OSError:
            continue


def _signed(key: ec.EllipticCurvePrivateKey, hosts: Sequence[str], now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Glimpser")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _BACKDATED,
        not_valid_after=now + LIFETIME - _BACKDATED,
    )
    return (
        builder.add_extension(
            x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode())


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Put a file in its place whole, readable for this user alone."""
    path.unlink(missing_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _is_good(tls: Tls, now: datetime) -> bool:
    """Tell whether there is a pair that fits and lasts; one that was cut off by a crash does not."""
    try:
        _context(tls)
    except Misconfigured:
        return False
    certificate = x509.load_pem_x509_certificate(tls.certificate.read_bytes())
    return now < certificate.not_valid_after_utc - RENEWED


def _context(tls: Tls) -> ssl.SSLContext:
    """Make what the server speaks TLS by: 1.2 and later, as Python's own default has it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate, tls.key, _NO_PASSPHRASE)
    except ssl.SSLError as error:
        raise Misconfigured(
            f"{tls.certificate} and {tls.key} are no certificate with its key ({error.reason or 'PEM'}):"
            " server.tls.cert and server.tls.key take PEM files that belong together, without a passphrase."
        ) from error
    except OSError as error:
        path = tls.key if tls.certificate.is_file() else tls.certificate
        raise Misconfigured(
            f"{path} cannot be read ({error.strerror}): mend server.tls.cert and server.tls.key, or the"
            " permissions of the files."
        ) from error
    return context


def _changed_ns(path: Path) -> int:
    """Give when a file was changed last; 0: it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
