"""Who signs: a certificate with its key, looked at closely once, at start, in words that help whoever runs the bot."""

from __future__ import annotations

import copy
import itertools
import shlex
import struct
import subprocess
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtensionOID, NameOID

from bot.domain.containers import PNG_SIGNATURE, png_chunk
from bot.labels.credentials import chain
from bot.labels.credentials.library import (
    Anchors,
    Attachment,
    LibraryError,
    NativeSigner,
    open_callback_signer,
    open_signer,
    read_report,
    within,
    write_manifest,
)
from bot.labels.credentials.manifest import Deed, Step, Verb, manifest_json

log = structlog.get_logger("credentials")

TIMESTAMP_S = 5.0
"""Longest wait for the time-stamp authority."""
AGAIN_S = 60.0
"""So long after it failed, files are signed without it."""
_PIXEL = b"".join(
    (
        PNG_SIGNATURE,
        png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        png_chunk(b"IDAT", zlib.compress(b"\x00\x00")),
        png_chunk(b"IEND", b""),
    )
)
_MIN_RSA_BITS = 2048
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


class BadSigner(ValueError):
    """The certificate or the key cannot be used. The text tells the operator why, and what to do."""


class CannotSign(Exception):
    """A file could not be signed. `kind` is a short code for logs."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Identity:
    """What the certificates say. `algorithm` is C2PA's name for the leaf's kind of key."""

    name: str
    expires_at: datetime
    algorithm: str


class Signer:
    """Signs files, from any thread. Where a time-stamp authority does not answer, it signs without."""

    def __init__(
        self,
        identity: Identity,
        opened: Callable[[str], NativeSigner],
        *,
        anchors: Anchors,
        timestamp_url: str,
        timestamp_s: float,
    ) -> None:
        """`opened` gives the library's signer for an authority's address; empty for none."""
        self.identity = identity
        self.anchors = anchors
        self._bare = opened("")
        self._stamping = opened(timestamp_url) if timestamp_url else None
        self._timestamp_s = timestamp_s
        self._lock = threading.Lock()
        self._stamping_from_s = 0.0

    @property
    def unstamped(self) -> Signer:
        """The same one, which never asks an authority."""
        other = copy.copy(self)
        other._stamping = None
        return other

    @property
    def expires_at(self) -> datetime:
        return self.identity.expires_at

    def write(
        self, data: bytes, media_type: str, manifest: str, attachments: tuple[Attachment, ...]
    ) -> tuple[bytes, bool]:
        """The signed file, and whether its signature is time-stamped. Raises `LibraryError`."""
        stamped = self._write_stamped(data, media_type, manifest, attachments)
        if stamped is not None:
            return stamped, True
        bare = write_manifest(data, media_type, manifest, attachments, signer=self._bare, anchors=self.anchors)
        # Only now it is known to be the authority's failure, and not the file's.
        self._leave_authority_alone()
        return bare, False

    def try_once(self) -> None:
        """Sign a picture of one pixel, without the authority, and read it back: what is signed with another's key looks
        signed. Raises `LibraryError`."""
        manifest = manifest_json(Deed("trial", (Step(Verb.CREATED, "algorithmicMedia"),)), "image/png", ())
        made = write_manifest(_PIXEL, "image/png", manifest, (), signer=self._bare, anchors=self.anchors)
        if read_report(made, "image/png", self.anchors).get("validation_state") == "Invalid":
            raise LibraryError("Signature")

    def stamps(self) -> bool | None:
        """Whether the time-stamp authority answers now; None where there is none. Waits as long as for a file."""
        if self._stamping is None:
            return None
        manifest = manifest_json(Deed("trial", (Step(Verb.CREATED, "algorithmicMedia"),)), "image/png", ())
        return self._write_stamped(_PIXEL, "image/png", manifest, ()) is not None

    def _write_stamped(
        self, data: bytes, media_type: str, manifest: str, attachments: tuple[Attachment, ...]
    ) -> bytes | None:
        stamping = self._stamping
        if stamping is None or time.monotonic() < self._stamping_from_s:
            return None

        def work() -> bytes:
            return write_manifest(data, media_type, manifest, attachments, signer=stamping, anchors=self.anchors)

        try:
            return within(self._timestamp_s, work)
        except LibraryError:
            return None

    def _leave_authority_alone(self) -> None:
        with self._lock:
            now_s = time.monotonic()
            if now_s >= self._stamping_from_s:
                self._stamping_from_s = now_s + AGAIN_S


# --- from files


def chosen_files(certificate: str, key: str, data: Path) -> tuple[Path, Path] | None:
    """The two files to use: those of the settings (empty for none), else those that `remixbot credentials init` wrote.

    None where there are none: then nothing is signed. Raises `BadSigner` where only one of the two is set.
    """
    if certificate and key:
        return Path(certificate), Path(key)
    if certificate or key:
        raise BadSigner("Set both CREDENTIALS_CERTIFICATE and CREDENTIALS_KEY, or neither.")
    folder = data / chain.FOLDER
    if not (folder / chain.KEY).exists():
        return None
    return folder / chain.CERTIFICATES, folder / chain.KEY


def own_anchors(data: Path) -> Anchors:
    """The roots that `remixbot credentials init` made here, now and earlier."""
    path = data / chain.FOLDER / chain.ANCHORS
    try:
        return Anchors(signers=path.read_bytes().decode("ascii", "replace"))
    except OSError:
        return Anchors()


def signer_from_files(
    certificate: Path,
    key: Path,
    *,
    anchors: Anchors = Anchors(),  # noqa: B008 a frozen value
    timestamp_url: str = "",
    timestamp_s: float = TIMESTAMP_S,
) -> Signer:
    """From a PEM chain (the signer's first) and its PEM key. Raises `BadSigner`."""
    certificates, secret = _bytes_of(certificate, "certificate"), _bytes_of(key, "key")
    identity = identify(certificates)
    _check_key(secret, certificates, key)
    return _checked(
        lambda url: open_signer(certificates, secret, identity.algorithm, url),
        identity,
        anchors=anchors,
        timestamp_url=timestamp_url,
        timestamp_s=timestamp_s,
    )


def signer_from_callback(
    certificates: bytes,
    sign: Callable[[bytes], bytes],
    *,
    anchors: Anchors = Anchors(),  # noqa: B008 a frozen value
    timestamp_url: str = "",
    timestamp_s: float = TIMESTAMP_S,
) -> Signer:
    """For a key that is somewhere else (a KMS, an HSM). `sign` is called once for each file, in the thread that signs,
    with about 1,500 bytes. Signed files are some 9 KB larger than with a key at hand. Raises `BadSigner`."""
    identity = identify(certificates)
    return _checked(
        lambda url: open_callback_signer(certificates, sign, identity.algorithm, url),
        identity,
        anchors=anchors,
        timestamp_url=timestamp_url,
        timestamp_s=timestamp_s,
    )


COMMAND_S = 5.0
"""Longest wait for a command that signs."""


def signer_from_command(
    certificate: Path,
    command: str,
    *,
    anchors: Anchors = Anchors(),  # noqa: B008 a frozen value
    timestamp_url: str = "",
    command_s: float = COMMAND_S,
) -> Signer:
    """For a key that only a program of the host's can use. The command is split as a shell would, and no shell runs it:
    what is to be signed stands at its input, the signature is all that it writes, r‖s or DER. Raises `BadSigner`."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words:
        raise BadSigner("CREDENTIALS_SIGNER is no command: its quotation marks do not close.")
    failed: list[str] = []

    def sign(data: bytes) -> bytes:
        failed.clear()
        try:
            done = subprocess.run(words, input=data, capture_output=True, timeout=command_s, check=False)  # noqa: S603 the host's own command
        except FileNotFoundError:
            failed.append("is not there")
        except subprocess.TimeoutExpired:
            failed.append(f"took longer than {command_s:g} seconds")
        except OSError as error:
            failed.append(f"cannot be run: {error.strerror}")
        else:
            if done.returncode == 0 and done.stdout:
                return done.stdout
            failed.append(f"ended with {done.returncode}" if done.returncode else "gave nothing")
        # What it says of its failure may hold what it knows.
        log.warning("the signing command failed", why=failed[0])
        return b""

    try:
        return signer_from_callback(
            _bytes_of(certificate, "certificate"), sign, anchors=anchors, timestamp_url=timestamp_url
        )
    except BadSigner:
        if failed:
            raise BadSigner(f"The command of CREDENTIALS_SIGNER {failed[0]}.") from None
        raise


def _checked(
    opened: Callable[[str], NativeSigner],
    identity: Identity,
    *,
    anchors: Anchors,
    timestamp_url: str,
    timestamp_s: float,
) -> Signer:
    if timestamp_url and not timestamp_url.startswith(("https://", "http://")):
        raise BadSigner("CREDENTIALS_TIMESTAMP_URL must begin with https:// or http://.")
    try:
        signer = Signer(identity, opened, anchors=anchors, timestamp_url=timestamp_url, timestamp_s=timestamp_s)
        signer.try_once()
        return signer
    except LibraryError as error:
        raise BadSigner(f"The signing library does not take this certificate and key ({error.kind}).") from None


def _bytes_of(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadSigner(f"The {what} {path} is not there. `remixbot credentials init` makes one to try with.") from None
    except PermissionError:
        raise BadSigner(
            f"The {what} {path} may not be read by this process. Give it to the user that runs it."
        ) from None
    except OSError as error:
        raise BadSigner(f"The {what} {path} cannot be read: {error.strerror}.") from None


# --- what is looked at


def identify(certificates: bytes, now: datetime | None = None) -> Identity:
    """What a PEM chain says of its first certificate. Raises `BadSigner` where that one cannot sign claims."""
    try:
        leaf, *others = x509.load_pem_x509_certificates(certificates)
    except ValueError:
        raise BadSigner("The certificate file holds no certificates in PEM form.") from None
    at = now or datetime.now(UTC)
    if at >= leaf.not_valid_after_utc:
        raise BadSigner(
            f"The signing certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}. Get a new one, or make one to "
            "try with: `remixbot credentials init --replace`."
        )
    if at < leaf.not_valid_before_utc:
        raise BadSigner(f"The signing certificate is good from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on only.")
    _check_uses(leaf)
    _check_order([leaf, *others])
    return Identity(_name_of(leaf), leaf.not_valid_after_utc, _algorithm_of(leaf.public_key()))


def _check_uses(leaf: x509.Certificate) -> None:
    try:
        extensions = {each.oid: each.value for each in leaf.extensions}
    except ValueError:
        raise BadSigner("The signing certificate's extensions cannot be read.") from None
    constraints = extensions.get(ExtensionOID.BASIC_CONSTRAINTS)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        raise BadSigner("The first certificate in the file is an authority's. The signer's own must come first.")
    purposes = extensions.get(ExtensionOID.EXTENDED_KEY_USAGE)
    if not isinstance(purposes, x509.ExtendedKeyUsage) or chain.EMAIL_PROTECTION not in purposes:
        raise BadSigner(
            "The signing certificate is not made for this: among its extended key usages there must be emailProtection "
            f"(and, for the C2PA profile, {chain.CLAIM_SIGNING.dotted_string})."
        )
    usage = extensions.get(ExtensionOID.KEY_USAGE)
    if not isinstance(usage, x509.KeyUsage) or not usage.digital_signature:
        raise BadSigner("The signing certificate's key usage must name digitalSignature.")
    if ExtensionOID.AUTHORITY_KEY_IDENTIFIER not in extensions:
        raise BadSigner("The signing certificate lacks its authority key identifier.")


def _check_order(certificates: list[x509.Certificate]) -> None:
    for certificate, issuer in itertools.pairwise(certificates):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            raise BadSigner(
                "The certificates are not a chain: each must be issued by the one after it, the signer's first."
            ) from None


def _check_key(key: bytes, certificates: bytes, path: Path) -> None:
    try:
        loaded = serialization.load_pem_private_key(key, password=None)
    except TypeError:
        raise BadSigner(
            f"The key {path} is locked with a password. Store it without one, readable by the bot only."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadSigner(f"The key {path} is no private key in PEM form.") from None
    leaf = x509.load_pem_x509_certificates(certificates)[0]
    if loaded.public_key() != leaf.public_key():
        raise BadSigner(f"The key {path} does not fit the signing certificate. They must have been made together.")


def _algorithm_of(key: object) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS:
        return "ps256"
    raise BadSigner("The signing certificate has a kind of key that C2PA does not take. P-256 is the usual one.")


def _name_of(leaf: x509.Certificate) -> str:
    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        found = leaf.subject.get_attributes_for_oid(oid)
        if found:
            return str(found[0].value)
    return ""
