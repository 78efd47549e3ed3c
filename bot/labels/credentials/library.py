"""The C2PA library behind four functions, with its network closed: nothing that a file names is ever asked for.

The only address that is called is the time-stamp authority's, and that comes from the settings. Errors of the
library come out as `LibraryError`, never with what stands in the file. Everything here may be called from any thread;
a process that forks must load anew.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

import c2pa

from bot.labels.credentials.placing import Unplaceable, sign_png
from bot.labels.credentials.values import mapping

NativeSigner: TypeAlias = c2pa.Signer

_MAX_UNPACKED_MB = 1
"""Of one compressed manifest. Real ones have some ten kilobytes."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """Whom to trust, as PEM texts: `signers` for manifests, `stamps` for time stamps. Other lines do no harm."""

    signers: str = ""
    stamps: str = ""


class LibraryError(Exception):
    """`kind` is the library's own name for what is wrong: "ManifestNotFound", "Remote", "Signature" …"""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class TooSlow(LibraryError):
    """It was given up. What runs goes on in its own thread until it ends."""

    def __init__(self) -> None:
        super().__init__("TooSlow")


@dataclass(frozen=True, slots=True)
class Attachment:
    """An ingredient whose own manifests are carried. `definition` is its part of the manifest's JSON.

    With `checked`, what was found by `read_report`, and its `store`, the file is not checked once more: that is half
    of the time that signing takes.
    """

    definition: dict[str, object]
    media_type: str
    data: bytes
    store: bytes = b""
    checked: dict[str, Any] | None = None

    @property
    def known(self) -> dict[str, Any] | None:
        """What the manifest says of it beside its definition; None where the library has to look at the file."""
        said = {name: (self.checked or {}).get(name) for name in ("active_manifest", "validation_results")}
        return said if self.store and all(said.values()) else None


# --- what is asked of the library


@lru_cache(maxsize=8)
def context(anchors: Anchors) -> c2pa.Context:
    """One per set of anchors, shared by all threads."""
    settings: dict[str, object] = {
        "version": 1,
        "core": {
            "allowed_network_hosts": [],
            "allow_redirects": False,
            "max_decompressed_manifest_size_in_mb": _MAX_UNPACKED_MB,
        },
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": False},
        "builder": {"thumbnail": {"enabled": False}},
    }
    given = {"manifest": _certificates(anchors.signers), "tsa": _certificates(anchors.stamps)}
    trust = [
        {"trust_anchors": pem, "trust_kind": kind, "trust_uri": f"urn:remixbot:{kind}"}
        for kind, pem in given.items()
        if pem
    ]
    if trust:
        settings["trust"] = {"anchors": trust}
    return _asked(lambda: c2pa.Context(c2pa.Settings.from_dict(settings)))


def read_report(data: bytes, media_type: str, anchors: Anchors, *, detailed: bool = False) -> dict[str, Any]:
    """What the library says of a file: its own JSON, unchecked."""

    def work() -> dict[str, Any]:
        with c2pa.Reader(media_type, io.BytesIO(data), context=context(anchors)) as reader:
            return mapping(json.loads(reader.detailed_json() if detailed else reader.json()))

    return _asked(work)


def open_signer(certificates: bytes, key: bytes, algorithm: str, timestamp_url: str) -> NativeSigner:
    """From PEM. `timestamp_url` empty for none."""
    asked = c2pa.C2paSignerInfo(algorithm, certificates, key, timestamp_url or None)
    return _asked(lambda: c2pa.Signer.from_info(asked))


def open_callback_signer(
    certificates: bytes, sign: Callable[[bytes], bytes], algorithm: str, timestamp_url: str
) -> NativeSigner:
    """`sign` is handed about 1,500 bytes, in the thread that signs a file; it gives r‖s or DER, and may raise."""
    chosen = c2pa.C2paSigningAlg[algorithm.upper()]

    def quietly(data: bytes) -> bytes:
        try:
            return sign(data)
        except Exception:  # the library would log its text, which is not ours to know
            return b""

    return _asked(lambda: c2pa.Signer.from_callback(quietly, chosen, certificates.decode(), timestamp_url or None))


def write_manifest(
    data: bytes,
    media_type: str,
    manifest: str,
    attachments: tuple[Attachment, ...],
    *,
    signer: NativeSigner,
    anchors: Anchors,
) -> bytes:
    """The file with a signed manifest in it. Anything it carried before is replaced."""

    def work() -> bytes:
        if media_type == "image/png":
            with suppress(Unplaceable), _builder(manifest, attachments, anchors) as builder:
                return sign_png(data, builder, signer)
        out = io.BytesIO()
        with _builder(manifest, attachments, anchors) as builder:
            builder.sign(signer, media_type, io.BytesIO(data), out)
        return out.getvalue()

    return _asked(work)


@contextmanager
def _builder(manifest: str, attachments: tuple[Attachment, ...], anchors: Anchors) -> Generator[c2pa.Builder]:
    """With all that comes along. It signs once."""
    known = {f"store-{number}": each for number, each in enumerate(attachments) if each.known}
    with c2pa.Builder.from_json(_with_known(manifest, known), context(anchors)) as builder:
        for name, each in known.items():
            builder.add_resource(name, io.BytesIO(each.store))
        for each in attachments:
            if not each.known:
                builder.add_ingredient(json.dumps(each.definition), each.media_type, io.BytesIO(each.data))
        yield builder


def _with_known(manifest: str, known: dict[str, Attachment]) -> str:
    """The definition with the ingredients whose stores are handed over by these names."""
    if not known:
        return manifest
    definition = json.loads(manifest)
    definition["ingredients"] += [
        {**each.definition, **(each.known or {}), "manifest_data": {"format": _STORE, "identifier": name}}
        for name, each in known.items()
    ]
    return json.dumps(definition)


# --- around it

_STORE = "application/c2pa"

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[\s\w+/=]+-----END CERTIFICATE-----")
_FIRST_WORD = re.compile(r"[A-Za-z]{1,40}(?=:? |$)")
_T = TypeVar("_T")


def _certificates(text: str) -> str:
    return "\n".join(_PEM.findall(text))


def _asked(work: Callable[[], _T]) -> _T:
    try:
        return work()
    except LibraryError:
        raise
    except c2pa.C2paError as error:
        raise LibraryError(_kind(error)) from None
    except (ValueError, TypeError, RecursionError) as error:  # JSON that is none, or nested too deep
        raise LibraryError(type(error).__name__) from None


def _kind(error: c2pa.C2paError) -> str:
    """The word with which the library's text begins. The rest may quote the file."""
    found = _FIRST_WORD.match(str(error))
    return found[0] if found else "Unknown"


def within(limit_s: float, work: Callable[[], _T]) -> _T:
    """The work in a thread of its own, given up after that time (`TooSlow`). Native code cannot be interrupted."""
    done: list[_T] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:  # handed on to whoever waits
            failed.append(error)

    thread = threading.Thread(target=run, name="credentials", daemon=True)
    thread.start()
    thread.join(limit_s)
    if failed:
        raise failed[0]
    if not done:
        raise TooSlow
    return done[0]
