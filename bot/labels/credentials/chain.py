"""A certificate chain for trying out: root, intermediate and leaf, made on the spot. It really signs.

Nobody else knows its root, so readers of others say "unknown signer". The leaf follows the C2PA certificate profile
(v0.2, 2026-07-31): P-256, at most 366 days, for e-mail protection (which readers ask for) and for C2PA claims.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER = "credentials"
"""Inside the data folder."""
KEY, CERTIFICATES, ANCHORS = "key.pem", "certificates.pem", "anchors.pem"

CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
EMAIL_PROTECTION = ExtendedKeyUsageOID.EMAIL_PROTECTION
_POLICY = x509.ObjectIdentifier("1.3.6.1.4.1.62558.1.1")
_LONGEST = timedelta(days=366)
_AUTHORITIES_LAST = timedelta(days=3650)
_MAX_EARLIER_ANCHORS_BYTES = 64_000
_ORGANIZATION = "Remixbot development"


class AlreadyThere(ValueError):
    """The folder holds a key. Whoever replaces it must say so."""


@dataclass(frozen=True, slots=True)
class Chain:
    """All in PEM. `certificates` are the leaf and the intermediate; the keys of both authorities are not kept."""

    key: bytes
    certificates: bytes
    root: bytes
    expires_at: datetime


def make_chain(
    *,
    now: datetime | None = None,
    lifetime: timedelta = timedelta(days=365),
    purposes: Sequence[x509.ObjectIdentifier] = (EMAIL_PROTECTION, CLAIM_SIGNING),
) -> Chain:
    """A new chain, whose leaf is good from an hour before `now` until `lifetime` after it."""
    begins_at = now or datetime.now(UTC)
    if lifetime > _LONGEST:
        raise ValueError("a signing certificate may last 366 days at most")
    root_key, between_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    expires_at = begins_at + lifetime
    root_name, between_name = _name("root"), _name("intermediate")
    root = _authority(root_name, root_key, root_name, root_key, begins_at, path_length=1)
    between = _authority(between_name, between_key, root_name, root_key, begins_at, path_length=0)
    leaf = (
        _certificate(_name("signer"), leaf_key, between_name, between_key, begins_at, expires_at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_files=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.CertificatePolicies([x509.PolicyInformation(_POLICY, None)]), critical=False)
        .sign(between_key, hashes.SHA256())
    )
    return Chain(
        key=leaf_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        certificates=_pem(leaf) + _pem(between),
        root=_pem(root),
        expires_at=leaf.not_valid_after_utc,
    )


def write_chain(chain: Chain, folder: Path, *, replace: bool = False) -> None:
    """Key, certificates and the root into a folder of their own. Only this user may read the key.

    Roots of chains that were there before stay known, so that what they signed is still recognised. Raises
    `AlreadyThere` where a key is there and `replace` was not said.
    """
    if (folder / KEY).exists() and not replace:
        raise AlreadyThere(f"{folder / KEY} is there already. Replace it with --replace.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    anchors = folder / ANCHORS
    earlier = anchors.read_bytes() if anchors.exists() else b""
    _write(anchors, chain.root + earlier[:_MAX_EARLIER_ANCHORS_BYTES].rpartition(b"\n")[0] + b"\n" * bool(earlier))
    _write(folder / CERTIFICATES, chain.certificates)
    _write(folder / KEY, chain.key)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and readable by this user only from its first byte on."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    beside.replace(path)


def is_for_development(certificates: bytes) -> bool:
    """Whether a PEM chain is one of ours, that nobody else knows."""
    leaf = x509.load_pem_x509_certificates(certificates)[0]
    return leaf.issuer == _name("intermediate")


# --- certificates


def _name(part: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"),  # ISO 3166 leaves it to users: no country
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{_ORGANIZATION} {part}"),
        ]
    )


def _authority(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    begins_at: datetime,
    *,
    path_length: int,
) -> x509.Certificate:
    return (
        _certificate(subject, key, issuer, issuer_key, begins_at, begins_at + _AUTHORITIES_LAST)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(signs_files=False), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _certificate(  # noqa: PLR0917 an X.509 certificate is made of these
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    begins_at: datetime,
    expires_at: datetime,
) -> x509.CertificateBuilder:
    """What all three have in common. The hour before is for clocks that are behind."""
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins_at - timedelta(hours=1))
        .not_valid_after(expires_at)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
    )


def _key_usage(*, signs_files: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_files,
        content_commitment=signs_files,
        key_cert_sign=not signs_files,
        crl_sign=not signs_files,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
