"""Everything that reads what came from outside, as functions of bytes. A target raises nothing, whatever the bytes are;
what a reader is allowed to raise is named here. Where a reader promises something of what it gives, that is looked at.

`SEEDS` are well-formed, so that a fuzzer begins where it matters. What once broke stands in `corpus/<target>/`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request
from google.genai import errors as genai_errors
from google.genai.errors import UnknownApiResponseError
from google.genai.types import GenerateContentResponse
from telegram import Message

from adapters.discord import inbound as discord_inbound
from adapters.discord import settings_panel as discord_panel
from adapters.discord.buttons import confirmed_delete
from adapters.discord.door import _understood  # pyright: ignore[reportPrivateUsage]
from adapters.discord.refs import server_ref
from adapters.telegram import inbound as telegram_inbound
from adapters.telegram import settings_panel as telegram_panel
from adapters.telegram.inbox import read, understood, whereabouts
from adapters.telegram.refs import account_of, chat_ref
from adapters.web.guard import _hostname, _is_port  # pyright: ignore[reportPrivateUsage]
from adapters.web.inbound import read_form, read_picture
from adapters.web.problems import Problem
from bot.domain import buttons, refs
from bot.domain.arena import instructions_in, vote_of
from bot.domain.cast import named_in, read_cast
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.commands import apply_setting, read_command
from bot.domain.containers import BrokenFile
from bot.domain.digital_source import file_pieces, has_c2pa, terms_in_file, terms_in_xmp, xmp_of
from bot.domain.errors import BadPicture, BadRequest, EngineFailed, RemixError
from bot.domain.images import Picture
from bot.domain.language import LANGUAGES, accepted_language
from bot.domain.messages import InboundMessage
from bot.domain.pointing import named_picture, numbered
from bot.domain.presets import read_preset
from bot.domain.quotes import texts_to_write
from bot.domain.recipes import imported, read_file
from bot.domain.refs import UserRef
from bot.domain.roles import read_roles
from bot.domain.sharing import meant_by
from bot.domain.taste import taste_in
from bot.domain.wishes import points_at_a_picture, read_wish
from bot.engines.cleaning import cleaned, stated_size
from bot.engines.exact import ExactEngine
from bot.engines.formats import Format
from bot.engines.gemini.answer import read_answer
from bot.engines.gemini.failures import failure_of
from bot.engines.gemini.notes import notes_of
from bot.engines.gemini.prompt import prompt_for
from bot.engines.gemini.wire import AnswerReader
from bot.engines.reader import PillowPictureReader
from bot.insisting import Hopeless
from bot.labels.credentials.signer import BadSigner, identify
from bot.labels.metadata import Claim, aigc_of, label_file, systems_of, xmp_packet
from bot.labels.verify import Trust, findings_of
from bot.ports import EditRequest
from bot.redaction import Redaction
from storage.docket.plain import Refused, plain_values
from storage.redis import codec
from tests.fuzz.bending import bent

Target = Callable[[bytes], object]
CORPUS = Path(__file__).parent / "corpus"
_ANNA = UserRef("web", "anna")


def _text(data: bytes) -> str:
    """Halves of letters are let through: JSON can bring them."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")


# --- files


_READER = PillowPictureReader(max_bytes=1 << 20, max_pixels=1 << 20, max_side_px=4096)


def picture(data: bytes) -> object:
    """The reader. What it lets pass is within its limits, and what it gives says nothing of where it came from."""
    with contextlib.suppress(BadPicture), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = _READER._read(data, "picture")  # pyright: ignore[reportPrivateUsage]
        assert found.width_px * found.height_px <= 1 << 20
        assert not has_c2pa(found.data)
        assert terms_in_file(found.data) == ([], [])
        label_file(found, None)
    return None


def containers(data: bytes) -> object:
    for kind in Format:
        for reader in (cleaned, stated_size):
            with contextlib.suppress(BrokenFile):
                reader(data, kind)
    with contextlib.suppress(BrokenFile):
        for piece in file_pieces(data):
            assert 0 <= piece.start <= piece.body_start <= piece.body_end <= piece.end <= len(data)
            xmp_of(data, piece)
    return terms_in_file(data), has_c2pa(data)


def metadata(data: bytes) -> object:
    return aigc_of(data), systems_of(data)


_CLAIM = Claim("trainedAlgorithmicMedia", ("Gemini",), ("m-1",))


def xmp(data: bytes) -> object:
    """Whatever stood there before: what we write claims exactly what we claim."""
    terms_in_xmp(data)
    assert terms_in_xmp(xmp_packet(_CLAIM, data)) == [_CLAIM.source_type]
    return None


_TRUST = Trust()


def verify(data: bytes) -> object:
    found = findings_of(data, _TRUST)
    said = [*found.metadata.tools, *found.metadata.systems, *found.metadata.terms, found.metadata.aigc_by]
    assert all(text.isprintable() and len(text) <= 200 for text in said), said
    return None


def recipe(data: bytes) -> object:
    with contextlib.suppress(BadRequest):
        name, steps = read_file(data, _ANNA)
        assert all("\n" not in step.words for step in steps)
        assert len(name) < 200
    return imported(_text(data)[:20_000], _ANNA)


def certificate(data: bytes) -> object:
    with contextlib.suppress(BadSigner):
        identify(data)
    return None


# --- words


def words(data: bytes) -> object:
    text = _text(data)[:8_000]
    asked = read_wish(text, images=len(data) % 3)
    assert 1 <= asked.wish.count <= 8
    for reader in (read_command, read_cast, read_preset, instructions_in):
        with contextlib.suppress(BadRequest):  # says how it is to be said
            reader(text)
    read_roles(text, 3)
    texts_to_write(text)
    numbered(text)
    named_picture(text, 4)
    points_at_a_picture(text)
    taste_in(text)
    named_in(text, ["Rex", "Mia", "a.b*"])
    apply_setting(ChatSettings(), tuple(text.split()[:5]))
    _EXACT.read(text, images=1)
    return prompt_for(EditRequest(text, (Picture(b"", "image/png", 8, 8),), wish=asked.wish))


_EXACT = ExactEngine()


def header(data: bytes) -> object:
    """What a browser's headers and a token may be."""
    text = _text(data)[:4_000]
    assert accepted_language(text) in {"", *LANGUAGES, "en"}
    _hostname(text)
    _is_port(text)
    with contextlib.suppress(ValueError):
        account_of(text)
    return None


def codes(data: bytes) -> object:
    """What stands in buttons, links and keys: each comes back from anybody, changed as they like."""
    text = _text(data)[:300]
    custom_id = buttons.read_button_id(text)
    if custom_id is not None:
        assert len(text) <= 100
        assert str(custom_id) == text or custom_id.place is not None
    for argument in (text, custom_id.argument if custom_id else ""):
        buttons.press_of(argument)
        buttons.say_of(argument)
        vote_of(argument)
        meant_by(argument)
        confirmed_delete(argument)
        _panels(argument)
    for reader in (refs.message_ref_of, refs.user_ref_of):
        with contextlib.suppress(ValueError):
            reader(text)
    return None


def _panels(argument: str) -> None:
    part, values = discord_panel.read_part(argument), argument.split(".")
    if part is not None:
        discord_panel.changed_chat(ChatSettings(), part, values)
        discord_panel.changed_server(ServerSettings(), part, values)
        discord_panel.is_stale(ServerSettings().access, part)
        discord_panel.caps_now(part)
        discord_panel.without_everyone(part, values, server_ref("9000", "1"))
    thing, _, value = argument.partition(".")
    telegram_panel.changed_chat(ChatSettings(), thing, value)
    telegram_panel.changed_group(ServerSettings(), chat_ref("9000", -1, 2), thing, value)


# --- platforms


def _kept(message: object) -> None:
    """What was read of a message can be kept, and is the same when it is read again."""
    if isinstance(message, InboundMessage):
        kept = codec.INBOUND.load(codec.INBOUND.dump(message))
        # Halves of letters are kept as question marks.
        assert kept == message or "\\ud" in repr(message)


def discord(data: bytes) -> object:
    from tests.unit.test_discord_inbound import CDN, PLACE, message, user

    file = {"id": "1", "filename": "a.png", "size": 9, "url": f"{CDN}/a.png", "content_type": "image/png", "flags": 0}
    replied = message("look", id="77", author=user("102", "Ben"), attachments=[file])
    whole = message("<@9000> make it <#61> grey", mentions=[user("9000")], attachments=[file], type=19) | {
        "message_reference": {"message_id": "77", "channel_id": "600", "type": 0},
        "referenced_message": replied,
    }
    payload = bent(whole, data)
    for reader in (
        lambda: discord_inbound.version_of(payload),
        lambda: discord_inbound.is_edited(payload),
        lambda: discord_inbound.roles_of(payload),
        lambda: discord_inbound.concern_of(payload, PLACE),
        lambda: discord_inbound.pointers_of(payload, {}),
        lambda: discord_inbound.quoted_of(payload, PLACE, {}, names={}),
    ):
        _tried(reader)
    said = _tried(lambda: discord_inbound.inbound_of(payload, PLACE, {}))
    _kept(said)
    return None


def _tried(reader: Callable[[], Any]) -> Any:
    try:
        return _understood(reader)
    except Hopeless:
        return None


def telegram(data: bytes) -> object:
    from tests.unit.test_telegram_inbound import ANNA, GROUP, HOME, ME, US, document, sizes

    replied = {"message_id": 6, "date": 1, "chat": GROUP, "from": US, "photo": sizes("a"), "caption": "Edited with AI"}
    text = {"message_id": 7, "date": 2, "chat": GROUP, "from": ANNA, "reply_to_message": replied}
    whole: dict[str, Any] = {
        "update_id": 1,
        "message": text
        | {
            "text": "/edit@remix_bot make it grey 😀",
            "entities": [{"type": "bot_command", "offset": 0, "length": 15}],
            "document": document(),
        },
    }
    if data[:1] < b"\x40":
        pressed = {"id": "9", "from": ANNA, "chat_instance": "1", "data": "rb:press:0:again", "message": replied}
        whole = {"update_id": 2, "callback_query": pressed}
    elif data[:1] < b"\x60":
        whole = {"update_id": 3, "message": {"message_id": 8, "date": 2, "chat": HOME, "from": ANNA, "text": "hello"}}
    raw = json.dumps(bent(whole, data)).encode()
    _update(raw, ME)
    _update(data, ME)
    return None


def _update(raw: bytes, me: Any) -> None:
    chat, _ = whereabouts(raw)
    assert isinstance(chat, int)
    try:
        arrived = read(raw)
    except Exception:  # as its caller does, which puts it aside
        return
    message = arrived.update.effective_message
    if not isinstance(message, Message):
        return
    for reader in (
        lambda: telegram_inbound.concern_of(message, me),
        lambda: telegram_inbound.command_of(message, me),
        lambda: telegram_inbound.turn_in(message),
        lambda: telegram_inbound.words_of(message, me),
    ):
        with contextlib.suppress(Hopeless):
            understood(reader)
    with contextlib.suppress(Hopeless):
        _kept(understood(lambda: telegram_inbound.inbound_of(message, me, version=1)))


# --- the page


class _Spool:
    """`adapters.web.ports.UploadSpool`, of which nothing must be left when a form is refused."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def put(self, handle: str, data: bytes) -> None:
        self.files[handle] = data

    async def get(self, handle: str) -> bytes:
        return self.files[handle]

    async def delete(self, handle: str) -> None:
        self.files.pop(handle, None)


def form(data: bytes) -> object:
    """A posted form, whose first byte says of which kind it is."""
    kind = ("multipart/form-data; boundary=xx", "application/x-www-form-urlencoded", "multipart/mixed; boundary=xx")
    asyncio.run(_post(data[1:], kind[data[0] % 3] if data else kind[0]))
    return None


async def _post(body: bytes, content_type: str) -> None:
    for as_picture in (False, True):
        spool: Any = _Spool()
        request = _request(body, content_type)
        try:
            if as_picture:
                await read_picture(request, max_bytes=10_000)
            else:
                found = await read_form(request, spool, message="m", max_image_bytes=10_000)
                assert len(found.text) <= 4_000
        except Problem:
            assert not spool.files


def _request(body: bytes, content_type: str) -> web.Request:
    loop = asyncio.get_running_loop()
    content = StreamReader(BaseProtocol(loop), 2**16, loop=loop)
    content.feed_data(body)
    content.feed_eof()
    return make_mocked_request("POST", "/", headers={"Content-Type": content_type}, payload=content)


# --- the model


def answer(data: bytes) -> object:
    """An answer of the model, in pieces as in one."""
    from tests.unit.test_gemini_answer import MODEL

    size = data[0] % 7 + 1 if data else 1
    response, pieces = _read([data]), _read(data[at : at + size] for at in range(0, len(data), size))
    assert response == pieces
    if response is not None:
        request = EditRequest("make it night", (Picture(b"", "image/png", 1, 1),))
        with contextlib.suppress(EngineFailed):
            read_answer(response, model=MODEL, request=request)
    return None


def _read(pieces: Iterable[bytes]) -> GenerateContentResponse | None:
    """None where the SDK cannot make anything of it."""
    reader = AnswerReader()
    try:
        for piece in pieces:
            reader.feed(piece)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            response = GenerateContentResponse.model_validate(json.loads(reader.rest()))
    except (UnknownApiResponseError, ValueError, RecursionError, AttributeError, TypeError):
        return None
    reader.restore(response)
    return response


def bent_answer(data: bytes) -> object:
    from tests.unit.test_gemini_answer import MODEL, USAGE

    parts = [
        {"text": "A hat.\n→ make it red\n1. first"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
    ]
    page = {"web": {"uri": "https://example.org/x", "title": "X"}}
    whole = {
        "candidates": [
            {
                "content": {"parts": parts},
                "finishReason": "STOP",
                "groundingMetadata": {"groundingChunks": [page], "webSearchQueries": ["hats"]},
            }
        ],
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": USAGE,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            response = GenerateContentResponse.model_validate(bent(whole, data))
        except (ValueError, RecursionError, AttributeError, TypeError):
            return None
    with contextlib.suppress(EngineFailed):
        read_answer(response, model=MODEL, request=EditRequest("x", (Picture(b"", "image/png", 1, 1),)))
    return notes_of(_text(data)[:5_000])


def failure(data: bytes) -> object:
    """What the service says of why it failed."""
    detail = {
        "@type": "type.googleapis.com/google.rpc.RetryInfo",
        "retryDelay": "3s",
        "reason": "X",
        "violations": [{}],
    }
    said = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota", "details": [detail]}}
    with contextlib.suppress(TypeError, AttributeError, ValueError):  # what the SDK cannot hold it does not hand on
        error = genai_errors.APIError(data[0] * 3 if data else 429, bent(said, data))
        assert isinstance(failure_of(error), RemixError)
    return None


# --- what is kept


@cache
def _records() -> tuple[tuple[codec.Codec[Any], dict[str, Any]], ...]:
    from tests.values import done, image, message, turn

    pairs: tuple[tuple[codec.Codec[Any], Any], ...] = (
        (codec.TURN, turn()),
        (codec.OUTCOME, done()),
        (codec.INBOUND, message()),
        (codec.FACTS, image("a")),
    )
    return tuple((each, json.loads(each.dump(value))) for each, value in pairs)


def record(data: bytes) -> object:
    """A record that another version wrote, or somebody who should not have."""
    for each, whole in _records():
        changed = {**bent(whole, data), "of_a_later_version": {"a": [1]}}
        try:
            raw = json.dumps(changed)
            value = each.load(raw)
        except (ValueError, RecursionError):
            continue
        assert json.loads(each.rewrite(raw, value))["of_a_later_version"] == {"a": [1]}
    return None


def queued(data: bytes) -> object:
    """The arguments of a task: plain values, or none at all."""

    def check(value: object, depth: int = 0) -> None:
        known = (
            str,
            bytes,
            bytearray,
            int,
            float,
            complex,
            bool,
            type(None),
            list,
            tuple,
            dict,
            set,
            frozenset,
            Refused,
        )
        assert isinstance(value, known), type(value)
        if isinstance(value, list | tuple | set | frozenset) and depth < 5:
            for each in value:
                check(each, depth + 1)

    check(plain_values(data))
    return None


_REDACTION = Redaction(["s3cret-of-this-test", "a/b+c=d e"])


def log(data: bytes) -> object:
    assert "s3cret-of-this-test" not in _REDACTION.clean(_text(data) + "s3cret-of-this-test" + _text(data))
    return None


TARGETS: dict[str, Target] = {
    each.__name__: each
    for each in (
        picture,
        containers,
        metadata,
        xmp,
        verify,
        recipe,
        certificate,
        words,
        header,
        codes,
        discord,
        telegram,
        form,
        answer,
        bent_answer,
        failure,
        record,
        queued,
        log,
    )
}
BENT = frozenset({"discord", "telegram", "bent_answer", "failure", "record"})
"""Their bytes say how a payload is bent: any are as good as any."""


@cache
def seeds(target: str) -> tuple[bytes, ...]:
    """Well-formed beginnings."""
    return tuple(_seeds(target))


_FORM = (
    b'--xx\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello\r\n'
    b'--xx\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nabc\r\n--xx--\r\n'
)


def _seeds(target: str) -> Iterable[bytes]:
    from tests import pictures

    if target in BENT:
        return [bytes(range(9)), b"\x80\x01\x0c" * 4, b""]
    if target in ("picture", "containers", "metadata", "verify"):
        tiny = pictures.image().resize((16, 12))
        plain = [pictures.saved(tiny, kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")]
        told = [pictures.with_xmp(each, pictures.xmp("trainedAlgorithmicMedia")) for each in plain[:3]]
        signed = [pictures.with_manifest(each, "compositeWithTrainedAlgorithmicMedia") for each in plain[:3]]
        return [*plain, *told, *signed, pictures.bomb("PNG"), pictures.exif(6)]
    return {
        "xmp": [pictures.xmp("trainedAlgorithmicMedia"), pictures.xmp("x", attribute=True), xmp_packet(_CLAIM)],
        "recipe": [b'{"remixbot": "recipe", "version": 1, "name": "Winter", "steps": ["make it snow", "sepia"]}'],
        "certificate": [b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"],
        "words": [
            b'/story 4 panels: a fox finds a hat, write "HELLO" on it, 16:9, in 4k',
            "from 3: the second, but darker, and put the cat from picture 1 on the left of “Rex”".encode(),
            b"rotate 90 degrees and crop to 16:9 then add a border of 5 px in red",
        ],
        "header": [b"de-DE,de;q=0.9,en;q=0.8", b"[::1]:8080", b"123456:ABC-DEF"],
        "codes": [
            b"rb:press:0:again.4K",
            b"rb:allow:-:no.abc-1",
            b"chat.consent.x",
            b"shared:abc-1/0",
            b"web:page:home:m1",
        ],
        "form": [
            b"\x00" + _FORM,
            b"\x01text=hello&reply_index=1&act=again",
        ],
        "answer": [b'{"candidates":[{"content":{"parts":[{"text":"hi"},{"inlineData":{"data":"iVBORw0KGgo="}}]}}]}'],
        "queued": [
            b"\x80\x05\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07turn-id\x94\x85\x94.",
            b"cos\nsystem\n(S'x'\ntR.",
        ],
        "log": [b"https://api.telegram.org/bot1234567:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/getMe", b"s3cret-of-this-test"],
    }[target]
