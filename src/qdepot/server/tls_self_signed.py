"""A certificate of one's own making, for a laptop or a lab without an authority."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import os
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID = timedelta(days=365)
_RENEWED_BEFORE_END = timedelta(days=30)
_CLOCKS_DIFFER = timedelta(hours=1)
_LONGEST_COMMON_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfSigned:
    """A certificate that signs itself.

    Attributes:
        cert: The certificate (PEM). Clients that trust this file, trust this service and no other.
        key: Its private key (PEM), readable by the owner alone.
        fingerprint: SHA-256 of the certificate, to compare by eye.
    """

    cert: Path
    key: Path
    fingerprint: str


def self_signed(folder: Path, *, names: Collection[str], now: datetime | None = None) -> SelfSigned:
    """The certificate that is kept in a folder; a new one if there is none for these names, or its time runs out.

    Args:
        folder: Made if it is missing.
        names: Host names and IP addresses that clients may use.
        now: The time; default: the clock's.
    """
    now = now or datetime.now(UTC)
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not _serves(cert, key, names=names, now=now):
        folder.mkdir(parents=True, exist_ok=True)
        _make(cert, key, names=names, now=now)
    der = ssl.PEM_cert_to_DER_cert(cert.read_text())
    return SelfSigned(cert=cert, key=key, fingerprint=hashlib.sha256(der).digest().hex(":").upper())


def _serves(cert: Path, key: Path, *, names: Collection[str], now: datetime) -> bool:
    try:
        known = x509.load_pem_x509_certificate(cert.read_bytes())
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
        listed = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):  # ssl.SSLError is an OSError
        return False
    return set(listed) == set(_alternatives(names)) and now < known.not_valid_after_utc - _RENEWED_BEFORE_END


def _make(cert: Path, key: Path, *, names: Collection[str], now: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    common = next((name for name in names if len(name) <= _LONGEST_COMMON_NAME), "qdepot")
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "qdepot"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )
    public = private.public_key()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_only_for_signing(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(private, hashes.SHA256())
    )
    _write(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
    _write(cert, made.public_bytes(Encoding.PEM), mode=0o644)


def _only_for_signing() -> x509.KeyUsage:
    """What the key of a TLS server does; above all it signs no further certificates."""
    never = (
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(digital_signature=True, **dict.fromkeys(never, False))


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that nobody sees half, nor with wider rights than it will have."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _alternatives(names: Collection[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in sorted(set(names)):
        with contextlib.suppress(ValueError):
            found.append(x509.IPAddress(ipaddress.ip_address(name.strip("[]"))))
            continue
        with contextlib.suppress(ValueError):  # a name that is no ASCII cannot be in a certificate
            found.append(x509.DNSName(name))
    return found
