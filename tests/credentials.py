"""Signers, deeds and signed files for tests."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import c2pa

from bot.labels.credentials.chain import Chain, make_chain
from bot.labels.credentials.library import Anchors, Attachment, context, write_manifest
from bot.labels.credentials.manifest import Deed, Ingredient, Named, Relation, Step, Verb, manifest_json
from bot.labels.credentials.sign import Signed, sign
from bot.labels.credentials.signer import Signer, signer_from_files
from tests.pictures import photo

JPEG = "image/jpeg"
AI_EDITED = "compositeWithTrainedAlgorithmicMedia"
CREATED = Deed("r-0", (Step(Verb.CREATED, "trainedAlgorithmicMedia", "Gemini"),))
EDITED = Deed("r-1", (Step(Verb.OPENED, ingredients=("parent",)), Step(Verb.EDITED, AI_EDITED, "Gemini")))


@cache
def chain() -> Chain:
    return make_chain()


@cache
def anchors() -> Anchors:
    return Anchors(signers=chain().root.decode())


@cache
def signer() -> Signer:
    return signer_of(chain())


def signer_of(made: Chain, **options: Any) -> Signer:
    """From files, as the bot has it; the files are gone afterwards."""
    with TemporaryDirectory() as folder:
        certificates, key = Path(folder) / "certificates.pem", Path(folder) / "key.pem"
        certificates.write_bytes(made.certificates)
        key.write_bytes(made.key)
        return signer_from_files(certificates, key, anchors=anchors(), **options)


def short_lived(seconds: float) -> Chain:
    return make_chain(lifetime=timedelta(seconds=seconds))


def parent(data: bytes, media_type: str = JPEG) -> Ingredient:
    return Ingredient("parent", "source", media_type, data, Relation.PARENT)


def turned(before: bytes, by: Signer | None = None, **options: Any) -> Signed:
    """The photograph, signed as an edit of that file."""
    return sign(photo(), JPEG, EDITED, [parent(before)], by or signer(), **options)


def carelessly_turned(before: bytes, deed: Deed = EDITED) -> bytes:
    """The same by software that carries along whatever it finds, and says nothing of it."""
    named = Named("parent", "source", JPEG, Relation.PARENT, carried=True)
    manifest = manifest_json(deed, JPEG, [named])
    return raw(manifest, (Attachment(named.definition, JPEG, before),))


def raw(
    manifest: str | dict[str, Any],
    attachments: tuple[Attachment, ...] = (),
    data: bytes | None = None,
    by: Signer | None = None,
) -> bytes:
    """The photograph, signed with any manifest."""
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    opened = (by or signer())._bare
    return write_manifest(data or photo(), JPEG, text, attachments, signer=opened, anchors=anchors())


def pointing(data: bytes, media_type: str, address: str, *, embedded: bool) -> bytes:
    """A file that says that its manifest is at that address; it may have one itself, too."""
    out = io.BytesIO()
    with c2pa.Builder.from_json(manifest_json(CREATED, media_type, ()), context(anchors())) as builder:
        builder.set_remote_url(address)
        if not embedded:
            builder.set_no_embed()
        builder.sign(signer()._bare, media_type, io.BytesIO(data), out)
    return out.getvalue()


def flipped(data: bytes, at: int) -> bytes:
    """With one bit turned over."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


@contextmanager
def counted() -> Iterator[tuple[str, list[str]]]:
    """A server that counts who comes."""
    came: list[str] = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.path)
            self.send_error(404)

        do_HEAD = do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/m.c2pa", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
