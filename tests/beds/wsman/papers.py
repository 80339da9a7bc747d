"""Certificates: a good one of a host, an expired one, a client's, all by one authority."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.beds import certificates

_PLAIN = serialization.NoEncryption()
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Papers:
    """Files in one folder. Each pair is a certificate and its key."""

    ca_file: Path
    server: tuple[Path, Path]
    expired: tuple[Path, Path]
    client: tuple[Path, Path]

    def context(self, pair: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """What a server uses that shows that certificate, and asks for a client's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(pair or self.server))
        context.load_verify_locations(self.ca_file)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the good certificate."""
        shown = _certificate(self.server[0]).public_bytes(serialization.Encoding.DER)
        return f"sha256:{hashlib.sha256(shown).hexdigest()}"


def papers(folder: Path) -> Papers:
    """A new set, for a host named localhost."""
    certificates.server(certificates.authority(folder), "localhost")
    now = datetime.now(UTC)
    expired = _signed(folder, "localhost", now - timedelta(days=9), now - timedelta(days=2))
    client = _signed(folder, "auditor", now - timedelta(days=1), now + timedelta(days=1))
    good = (folder / "servercert.pem", folder / "serverkey.pem")
    return Papers(folder / "cacert.pem", good, expired, client)


def _certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _signed(folder: Path, name: str, start: datetime, end: datetime) -> tuple[Path, Path]:
    authority = _certificate(folder / "cacert.pem")
    issuer = serialization.load_pem_private_key((folder / "cakey.pem").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(issuer, hashes.SHA256())  # type: ignore[arg-type]
    )
    paths = folder / f"{name}-{end:%d}.pem", folder / f"{name}-{end:%d}.key"
    paths[0].write_bytes(certificate.public_bytes(_PEM))
    private = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(_PEM, private, _PLAIN))
    return paths
