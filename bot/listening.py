"""A voice message becomes words, once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.budget import Caps, over_words
from bot.domain.commands import is_of_ones_own
from bot.domain.errors import BadRequest, EngineFailed, EngineUnavailable, NotAllowed, SwitchedOff
from bot.domain.language import tr
from bot.domain.messages import InboundMessage
from bot.domain.turns import Usage
from bot.domain.words import HEARD_NOTHING, NO_EARS, SWITCHED_OFF, TOO_SLOW
from bot.gate import Gate
from bot.ports import Heard, MessageStore, Meter, Platform, Switches, TextModel

MAX_VOICE_BYTES = 10 * 1024 * 1024
MAX_TRIES = 2
"""How often one voice message is listened to: once more where the process died over it."""
_TRANSCRIPTION_S = 40.0
_PATIENCE_S = 8.0
_LONGEST_S = 50.0
_LOOK_EVERY_S = 0.3
_NO_LIMIT = 2**53


@dataclass(frozen=True, slots=True)
class Understood:
    """The words of a message. `heard` where they were spoken, `spent` what it took to listen."""

    words: str
    heard: str = ""
    spent: Usage = field(default_factory=Usage)


class Listener:
    """Listens to voice messages, where a text model can. `switch` names the engine that an operator turns off."""

    def __init__(
        self,
        *,
        platforms: Mapping[str, Platform],
        text_model: TextModel | None,
        messages: MessageStore,
        meter: Meter,
        switches: Switches,
        caps: Caps,
        gate: Gate,
        switch: str = "gemini",
    ) -> None:
        self._platforms = platforms
        self._text_model = text_model
        self._messages = messages
        self._meter = meter
        self._switches = switches
        self._caps = caps
        self._gate = gate
        self._switch = switch

    async def understand(self, message: InboundMessage) -> Understood:
        """Its words, written or spoken. A repeat does not listen again. Raises `RemixError` where nothing was heard."""
        if message.voice is None or is_of_ones_own(message.text):
            return Understood(message.text)
        heard = await self._messages.heard(message.ref) or await self._listen_once(message)
        if not heard.words.strip():
            raise BadRequest(tr(HEARD_NOTHING))
        return Understood("\n".join(part for part in (message.text, heard.words) if part), heard.words, heard.usage)

    async def _listen_once(self, message: InboundMessage) -> Heard:
        """The same message may come again while it is listened to: then wait for what is heard."""
        async with asyncio.timeout(_LONGEST_S):
            while True:
                number = await self._messages.begin_listening(message.ref, life_s=_LONGEST_S)
                if number > MAX_TRIES:
                    raise EngineUnavailable(tr(TOO_SLOW))
                if number:
                    return await self._listen(message, number)
                if (heard := await self._messages.heard(message.ref)) is not None:
                    return heard
                await asyncio.sleep(_LOOK_EVERY_S)

    async def _listen(self, message: InboundMessage, number: int) -> Heard:
        assert message.voice is not None
        if self._text_model is None:
            raise BadRequest(tr(NO_EARS))
        if not await self._switches.is_on(self._switch):
            raise SwitchedOff(tr(SWITCHED_OFF))
        platform = self._platforms[message.ref.chat.platform]
        sound = await platform.fetch(message.voice, max_bytes=MAX_VOICE_BYTES)
        media_type = sound_type_of(sound)
        if not media_type:
            raise BadRequest(tr(HEARD_NOTHING))
        # Before there is a turn to reserve for: at least the estimate is taken, and what was beyond it afterwards.
        estimate = self._text_model.estimate_microusd()
        chat, server = message.ref.chat, message.server
        buckets = await self._caps.buckets(estimate, person=message.author, chat=chat, server=server)
        key = f"{message.origin}:{number}"
        if full := await self._meter.charge(buckets, key=f"{key}:listen"):
            raise NotAllowed(over_words(full))
        try:
            await self._gate.enter(
                self._text_model.name, self._text_model.allowance, pictures=0, ticket=key, patience_s=_PATIENCE_S
            )
            async with asyncio.timeout(_TRANSCRIPTION_S):
                heard = await self._text_model.transcribe(sound, media_type=media_type)
        except (EngineFailed, TimeoutError) as error:
            if isinstance(error, EngineUnavailable) and error.retry_after_s:
                await self._gate.close(self._text_model.name, error.retry_after_s)
            # What the service turned away, or was never asked, has cost nobody anything.
            unspent = isinstance(error, EngineUnavailable) and not error.maybe_billed
            back = [each for each in buckets if unspent or each.name.startswith("person:")]
            await self._meter.charge([replace(each, estimate=-estimate) for each in back], key=f"{key}:back")
            raise error if isinstance(error, EngineFailed) else EngineUnavailable(tr(TOO_SLOW)) from None
        await self._messages.hear(message.ref, heard)
        if (more := heard.usage.cost_microusd - estimate) > 0:
            beyond = [replace(each, estimate=more, limit=_NO_LIMIT) for each in buckets]
            await self._meter.charge(beyond, key=f"{key}:more")
        return heard


def sound_type_of(data: bytes) -> str:
    """The media type of a sound file by its first bytes; empty where it is none that can be listened to."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav"
    if data[:4] == b"OggS":
        return "audio/ogg"
    if data[:4] == b"fLaC":
        return "audio/flac"
    if data[4:8] == b"ftyp":
        return "audio/m4a"
    if data[:3] == b"ID3" or data[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"):
        return "audio/mp3"
    return "audio/aac" if data[:2] in (b"\xff\xf1", b"\xff\xf9") else ""
