"""Engines for tests of the rooms around them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.errors import RemixError
from bot.domain.images import Picture
from bot.domain.turns import Usage
from bot.domain.wishes import PLAIN_WISH, Form, Kind, Wish
from bot.ports import Allowance, EditRequest, EngineAnswer, EngineProfile, Heard, Reading


@dataclass
class ScriptedEngine:
    """Gives back the first picture as it is, or `result`. Without pictures it draws `drawn`.

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
    models: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ("1K", "2K", "4K")
    allowances: dict[str, Allowance] = field(default_factory=dict[str, Allowance])
    drawn: Picture | None = None

    def __post_init__(self) -> None:
        self.profile = EngineProfile(
            self.name,
            self.name.title(),
            self.generative,
            max_inputs=14,
            models=self.models,
            sizes=self.sizes,
            allowances=self.allowances,
        )

    def read(self, instruction: str, *, images: int, wish: Wish = PLAIN_WISH) -> Reading:
        whole = self.understands(instruction) and bool(images or wish.kind is not Kind.EDIT)
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
        picture = self.result or (request.images[0] if request.images else self.drawn)
        assert picture is not None, "nothing to draw"
        plan = tuple(f"panel {n}" for n in range(1, request.wish.count + 1)) if request.panel == 1 else ()
        return EngineAnswer(
            (picture,),
            usage=Usage(cost_microusd=cost, model=request.model or self.name, calls=1),
            plan=plan if request.wish.form is Form.STORY else (),
        )

    async def aclose(self) -> None:
        """Nothing to close."""


@dataclass
class ScriptedTextModel:
    """Hears and reads what it is told to, in order; after that `heard` and `seen`."""

    heard: str = "make it black and white"
    seen: list[str | RemixError] = field(default_factory=list)
    cost_microusd: int = 300
    name: str = "text"
    allowance: Allowance = field(default_factory=Allowance)
    listened: int = 0
    looked: int = 0

    def estimate_microusd(self) -> int:
        return self.cost_microusd

    async def transcribe(self, sound: bytes, *, media_type: str) -> Heard:
        self.listened += 1
        return Heard(self.heard, Usage(self.cost_microusd, model="text", calls=1))

    async def lettering(self, picture: Picture) -> Heard:
        self.looked += 1
        seen = self.seen.pop(0) if self.seen else ""
        if isinstance(seen, RemixError):
            raise seen
        return Heard(seen, Usage(self.cost_microusd, model="text", calls=1))

    async def aclose(self) -> None:
        """Nothing to close."""
