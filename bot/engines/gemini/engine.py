"""The engine: one request in, one call out, one answer back. It never tries twice."""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

from bot.domain.errors import BadPicture, BadRequest, EngineFailed
from bot.domain.images import Picture
from bot.domain.wishes import PLAIN_WISH, Wish
from bot.engines.gemini.answer import read_answer
from bot.engines.gemini.fit import fits, fitted
from bot.engines.gemini.models import ModelProfile
from bot.engines.gemini.prompt import clean, prompt_for
from bot.ports import EditRequest, EngineAnswer, EngineProfile, Reading

if TYPE_CHECKING:
    from bot.engines.gemini.client import GeminiClient

INSTRUCTION_CHARS = 8_000
NOT_OPENED = "Gemini is not set up right. Please tell whoever runs this bot."


class GeminiEngine:
    """Edits pictures by words, with a model of Google's.

    `base_url` is where the API stands, None for Google's own. The client is opened by the first call, or by `async
    with`, and belongs to the event loop that opened it; `aclose` closes it.
    """

    def __init__(
        self, api_key: str, model: ModelProfile, base_url: str | None = None, timeout_s: float = 300.0
    ) -> None:
        self.model = model
        self.profile = EngineProfile(name="gemini", display_name="Gemini", generative=True, max_inputs=model.max_inputs)
        self._api_key = api_key
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._opening = asyncio.Lock()
        self._client: GeminiClient | None = None

    async def __aenter__(self) -> GeminiEngine:
        await self._opened()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the client. A later call would open another one."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def read(self, instruction: str, *, images: int, wish: Wish = PLAIN_WISH) -> Reading:  # noqa: ARG002
        """Any words are understood, as long as there is a picture to use them on. `unclear` is a whole sentence."""
        problem = self._problem(instruction, images=images)
        return Reading(whole=not problem, unclear=problem)

    def estimate_microusd(self, *, images: int, wish: Wish = PLAIN_WISH) -> int:  # noqa: ARG002
        return self.model.estimate_microusd(images=images)

    async def edit(self, request: EditRequest) -> EngineAnswer:
        """One call, one answer. Cancelling it breaks the connection off."""
        if problem := self._problem(request.instruction, images=len(request.images)):
            raise BadRequest(problem)
        pictures = request.images if fits(request.images) else await _made_to_fit(request.images)
        client = await self._opened()
        response = await client.ask(prompt_for(replace(request, images=pictures)))
        return read_answer(response, model=self.model, request=request)

    async def check(self) -> str | None:
        """Whether the model can be asked. None when it can; otherwise what is wrong, said to who runs the bot."""
        try:
            client = await self._opened()
        except EngineFailed:
            return "The client for Gemini could not be opened. Look at GEMINI_API_KEY and this machine's certificates."
        return await client.check()

    def _problem(self, instruction: str, *, images: int) -> str:
        """Why this cannot be asked at all, in words; empty when it can."""
        words = clean(instruction)
        if not words:
            return "Please say what should change in the picture."
        if len(words) > INSTRUCTION_CHARS:
            return f"That is a little long. Please say it in at most {INSTRUCTION_CHARS:,} characters."
        if images == 0:
            return "There is no picture to change. Please send one, or reply to one."
        if images > self.model.max_inputs:
            return f"That is too many pictures at once. Please use at most {self.model.max_inputs}."
        return ""

    async def _opened(self) -> GeminiClient:
        async with self._opening:
            if self._client is None:
                # In a thread, and not before it is needed: the first import of the SDK takes over a second.
                await asyncio.to_thread(importlib.import_module, "bot.engines.gemini.client")
                from bot.engines.gemini.client import GeminiClient

                try:
                    self._client = await GeminiClient.open(
                        self._api_key, self.model, base_url=self._base_url, timeout_s=self._timeout_s
                    )
                except (ValueError, OSError):
                    raise EngineFailed(NOT_OPENED) from None
            return self._client


async def _made_to_fit(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
    try:
        return await asyncio.to_thread(fitted, pictures)
    except BadPicture as error:
        raise BadRequest(error.words) from None
