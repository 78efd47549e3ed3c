"""Engines for tests of the rooms around them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.errors import RemixError
from bot.domain.images import Picture
from bot.domain.turns import Usage
from bot.domain.wishes import PLAIN_WISH, Wish
from bot.ports import EditRequest, EngineAnswer, EngineProfile, Reading


@dataclass
class ScriptedEngine:
    """Gives back the first picture as it is, or `result`.

    `script` is what happens per call, in order: an error to raise, or an event to wait for first. `requests` is what it
    was asked. A generative one costs `cost_microusd` a call.
    """

    name: str = "gemini"
    generative: bool = True
    cost_microusd: int = 40_000
    understands: Callable[[str], bool] = field(default=lambda _: True)
    script: list[RemixError | asyncio.Event] = field(default_factory=list)
    requests: list[EditRequest] = field(default_factory=list)
    result: Picture | None = None
    answers: list[EngineAnswer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.profile = EngineProfile(self.name, self.name.title(), self.generative, max_inputs=14)

    def read(self, instruction: str, *, images: int, wish: Wish = PLAIN_WISH) -> Reading:
        whole = self.understands(instruction)
        return Reading(whole, "" if whole else instruction, () if whole else ("crop to a square",))

    def estimate_microusd(self, *, images: int, wish: Wish = PLAIN_WISH) -> int:
        return self.cost_microusd if self.generative else 0

    async def edit(self, request: EditRequest) -> EngineAnswer:
        self.requests.append(request)
        if self.script:
            step = self.script.pop(0)
            if isinstance(step, RemixError):
                raise step
            await step.wait()
        if self.answers:
            return self.answers.pop(0)
        cost = self.cost_microusd if self.generative else 0
        return EngineAnswer((self.result or request.images[0],), usage=Usage(cost_microusd=cost, model=self.name))

    async def aclose(self) -> None:
        """Nothing to close."""
