"""A time-stamp authority as RFC 3161 has it, on this machine. It stamps truly, or as badly as it is told to.

By hand: `python -m tests.fakes.time_stamps FOLDER` writes its root there, says its address and stamps until Ctrl+C.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.type import univ, useful
from pyasn1_modules import rfc3161, rfc5035, rfc5280, rfc5652

_SHA256 = "2.16.840.1.101.3.4.2.1"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_POLICY = "1.3.6.1.4.1.99999.1"


@dataclass
class Authority:
    """What it stamps with. `root` and `certificate` are PEM and DER."""

    key: ec.EllipticCurvePrivateKey
    certificate: bytes
    root: bytes
    chain: tuple[bytes, ...]
    asked: int = 0
    down: bool = False
    """It refuses: HTTP 503."""
    silent: threading.Event | None = None
    """It takes the request and says nothing until this is set."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: bytes) -> bytes:
        """A TimeStampResp for a TimeStampReq, both DER."""
        asked, _ = decode(request, asn1Spec=rfc3161.TimeStampReq())
        with self.lock:
            self.asked += 1
            number = self.asked
        info = rfc3161.TSTInfo()
        info["version"] = 1
        info["policy"] = _POLICY
        info["messageImprint"] = asked["messageImprint"]
        info["serialNumber"] = number
        info["genTime"] = useful.GeneralizedTime(datetime.now(UTC).strftime("%Y%m%d%H%M%SZ"))
        if asked["nonce"].isValue:
            info["nonce"] = asked["nonce"]
        response = rfc3161.TimeStampResp()
        response["status"]["status"] = 0
        response["timeStampToken"] = self._signed(encode(info))
        return bytes(encode(response))

    def _signed(self, content: bytes) -> Any:
        signed = rfc5652.SignedData()
        signed["version"] = 3
        signed["digestAlgorithms"].append(_algorithm(rfc5652.DigestAlgorithmIdentifier(), _SHA256))
        signed["encapContentInfo"]["eContentType"] = rfc3161.id_ct_TSTInfo
        signed["encapContentInfo"]["eContent"] = content
        for number, certificate in enumerate((self.certificate, *self.chain)):
            parsed, _ = decode(certificate, asn1Spec=rfc5280.Certificate())
            signed["certificates"][number]["certificate"] = parsed
        signed["signerInfos"].append(self._signer(content))
        token = rfc3161.TimeStampToken()
        token["contentType"] = rfc5652.id_signedData
        token["content"] = univ.Any(encode(signed))
        return token

    def _signer(self, content: bytes) -> Any:
        own, _ = decode(self.certificate, asn1Spec=rfc5280.Certificate())
        signer = rfc5652.SignerInfo()
        signer["version"] = 1
        signer["sid"]["issuerAndSerialNumber"]["issuer"] = own["tbsCertificate"]["issuer"]
        signer["sid"]["issuerAndSerialNumber"]["serialNumber"] = own["tbsCertificate"]["serialNumber"]
        _algorithm(signer["digestAlgorithm"], _SHA256)
        _algorithm(signer["signatureAlgorithm"], _ECDSA_SHA256)
        named = rfc5035.SigningCertificateV2()
        named["certs"][0]["certHash"] = hashlib.sha256(self.certificate).digest()
        attributes = {
            rfc5652.id_contentType: rfc3161.id_ct_TSTInfo,
            rfc5652.id_messageDigest: univ.OctetString(hashlib.sha256(content).digest()),
            rfc5035.id_aa_signingCertificateV2: named,
        }
        for number, (kind, value) in enumerate(attributes.items()):
            signer["signedAttrs"][number]["attrType"] = kind
            signer["signedAttrs"][number]["attrValues"][0] = univ.Any(encode(value))
        bare = rfc5652.SignedAttributes()
        for number, attribute in enumerate(signer["signedAttrs"]):
            bare[number] = attribute
        signer["signature"] = self.key.sign(encode(bare), ec.ECDSA(hashes.SHA256()))
        return signer


def _algorithm(field_: Any, oid: str) -> Any:
    field_["algorithm"] = oid
    return field_


def make_authority() -> Authority:
    now = datetime.now(UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _name("Time root"), _name("Time stamps")

    def certificate(subject: x509.Name, public: ec.EllipticCurvePublicKey, *, ca: bool) -> x509.CertificateBuilder:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=100))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(identifier, critical=False)
            .add_extension(
                x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False),
                critical=True,
            )
        )

    stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    root = certificate(root_name, root_key.public_key(), ca=True).sign(root_key, hashes.SHA256())
    own = (
        certificate(name, key.public_key(), ca=False)
        .add_extension(stamping, critical=True)
        .sign(root_key, hashes.SHA256())
    )
    der = serialization.Encoding.DER
    return Authority(
        key=key,
        certificate=own.public_bytes(der),
        root=root.public_bytes(serialization.Encoding.PEM),
        chain=(root.public_bytes(der),),
    )


def _name(common: str) -> x509.Name:
    parts = {NameOID.COUNTRY_NAME: "XX", NameOID.ORGANIZATION_NAME: "Stamps", NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])


@contextmanager
def served(authority: Authority) -> Iterator[str]:
    """The authority behind HTTP; gives its address."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            if authority.silent is not None:
                authority.silent.wait(60)
            if authority.down:
                self.send_error(503)
                return
            body = authority.answer(request)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    authority = make_authority()
    root = Path(sys.argv[1]) / "time-root.pem"
    root.write_bytes(authority.root)
    with served(authority) as address:
        print(f"{address} (its root: {root})", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
