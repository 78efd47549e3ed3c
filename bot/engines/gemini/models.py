"""What each model can do and what it costs, as data.

Names, limits and prices are those published for the Gemini Developer API in November 2026. Models come and go within
months, so that all of it can be corrected in a setting; what is charged is always metered from the figures of the
answer itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import cast

from pydantic import TypeAdapter, ValidationError

from bot.domain.wishes import PLAIN_WISH, Kind, Wish
from bot.ports import Allowance

DEFAULT_MODEL = "gemini-nano-banana-2.1"
DEFAULT_TEXT_MODEL = "gemini-3.5-flash-lite"

_RATIOS_10 = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_RATIOS_14 = (*_RATIOS_10, "1:4", "4:1", "1:8", "8:1")
_RATIO = re.compile(r"([1-9]\d{0,4}):([1-9]\d{0,4})", re.ASCII)
_INSTRUCTION_TOKENS = 4_000
"""More than a long instruction with a full story takes."""
_UNCHECKED = "Its prices come from a copy of the published list and were not checked against a bill."


@dataclass(frozen=True, slots=True)
class Prices:
    """Millionths of a US dollar for a million tokens, by kind; `search` for a thousand searches.

    `input_image` and `input_audio` are None where they cost what words do, `thinking` where it costs what output does.
    """

    input: int
    output: int
    image: int
    input_image: int | None = None
    input_audio: int | None = None
    thinking: int | None = None
    search: int = 0


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """One model: what it takes and gives, and what it costs.

    `sizes` and `ratios` of results, the default size first; none where the model has no choice of size. `max_inputs`
    is how many images one request may carry. `thinking` is the level to ask for, one of `thinking_levels`, empty for
    the model's own. `search` where it can look things up. `input_tokens` (of one image sent), `result_tokens` (of one
    result, at each of the sizes; the last holds for those beyond) and `thinking_tokens` (of one request) are upper
    guesses. `minute_requests`, `minute_images`, `minute_tokens` and `day_requests` are what Google lets the project ask
    for; 0 where that is not known. It stands in AI Studio, differs from project to project, and is not published
    (looked for in November 2026). `note` says what an operator should know about this entry.
    """

    id: str
    prices: Prices
    sizes: tuple[str, ...] = ()
    ratios: tuple[str, ...] = _RATIOS_10
    max_inputs: int = 3
    thinking_levels: tuple[str, ...] = ()
    thinking: str = ""
    system_instruction: bool = True
    search: bool = False
    input_tokens: int = 1_120
    result_tokens: tuple[int, ...] = (1_120,)
    thinking_tokens: int = 2_000
    minute_requests: int = 0
    minute_images: int = 0
    minute_tokens: int = 0
    day_requests: int = 0
    note: str = ""

    def __post_init__(self) -> None:
        if self.max_inputs < 1:
            raise ValueError("max_inputs must be at least 1")
        if min(price for price in asdict(self.prices).values() if price is not None) < 0:
            raise ValueError("a price cannot be below 0")
        if not self.result_tokens or min(self.input_tokens, self.thinking_tokens, *self.result_tokens) < 0:
            raise ValueError("numbers of tokens cannot be missing or below 0")
        if min(self.minute_requests, self.minute_images, self.minute_tokens, self.day_requests) < 0:
            raise ValueError("what may be asked for cannot be below 0")
        if strange := [ratio for ratio in self.ratios if not _RATIO.fullmatch(ratio)]:
            raise ValueError(f'a ratio is written like "16:9", not "{strange[0]}"')
        if self.thinking and self.thinking not in self.thinking_levels:
            raise ValueError(f'"{self.thinking}" is none of its thinking_levels')

    def cost_microusd(
        self,
        *,
        input_tokens: int = 0,
        input_image_tokens: int = 0,
        input_audio_tokens: int = 0,
        output_tokens: int = 0,
        thinking_tokens: int = 0,
        image_tokens: int = 0,
        searches: int = 0,
    ) -> int:
        """What this costs, rounded up. `input_tokens` is all that was sent; the images and sounds among it may be
        told apart. `output_tokens` are words, and thoughts where those are not told apart."""
        prices = self.prices
        words = max(0, input_tokens - input_image_tokens - input_audio_tokens)
        total = (
            words * prices.input
            + input_image_tokens * (prices.input if prices.input_image is None else prices.input_image)
            + input_audio_tokens * (prices.input if prices.input_audio is None else prices.input_audio)
            + output_tokens * prices.output
            + thinking_tokens * (prices.output if prices.thinking is None else prices.thinking)
            + image_tokens * prices.image
        )
        return -(-total // 1_000_000) + -(-searches * prices.search // 1_000)

    def estimate_microusd(self, *, images: int, wish: Wish = PLAIN_WISH, searches: int = 0) -> int:
        """An upper guess of one call that is sent so many images, looks so much up and gives one image."""
        return self.cost_microusd(
            input_tokens=_INSTRUCTION_TOKENS + images * self.input_tokens,
            input_image_tokens=images * self.input_tokens,
            thinking_tokens=self.thinking_tokens,
            image_tokens=self.tokens_at(self.size_for(wish.size)),
            searches=searches,
        )

    @property
    def allowance(self) -> Allowance:
        """What may be asked of it."""
        return Allowance(
            minute_requests=self.minute_requests,
            minute_images=self.minute_images,
            minute_tokens=self.minute_tokens,
            day_requests=self.day_requests,
            request_tokens=_INSTRUCTION_TOKENS,
            picture_tokens=self.input_tokens,
        )

    def may_search(self, *, images: int, wish: Wish) -> bool:
        """Whether looking something up may help. Never beside pictures: people in them may not be searched for."""
        return self.search and wish.kind is Kind.EXPLAIN and not images

    def size_for(self, size: str) -> str:
        """The size to ask for: this one if there is a choice of it, else the default; empty without any choice."""
        if len(self.sizes) < 2:
            return ""
        return size if size in self.sizes else self.sizes[0]

    def tokens_at(self, size: str) -> int:
        """What one result at this size takes."""
        place = self.sizes.index(size) if size in self.sizes else 0
        return self.result_tokens[min(place, len(self.result_tokens) - 1)]

    def nearest_ratio(self, width_px: int, height_px: int) -> str:
        """The model's ratio that comes closest to this shape; empty where it has none."""
        return min(self.ratios, key=lambda ratio: abs(_log_of(ratio) - math.log(width_px / height_px)), default="")

    def ratio_for(self, ratio: str) -> str:
        """This ratio, or the closest that the model has. Empty where it is not one."""
        if ratio in self.ratios or not (found := _RATIO.fullmatch(ratio)):
            return ratio if ratio in self.ratios else ""
        return self.nearest_ratio(int(found[1]), int(found[2]))


MODELS: Mapping[str, ModelProfile] = {
    profile.id: profile
    for profile in (
        ModelProfile(
            id=DEFAULT_MODEL,
            prices=Prices(input=1_500_000, output=7_500_000, image=30_000_000, search=14_000_000),
            sizes=("1K", "2K", "4K"),
            ratios=_RATIOS_14,
            max_inputs=14,
            thinking_levels=("minimal", "medium", "high"),
            thinking="minimal",
            search=True,
            result_tokens=(1_120, 1_680, 3_780),
        ),
        ModelProfile(
            id="gemini-3-pro-image",
            prices=Prices(input=2_000_000, output=12_000_000, image=120_000_000, search=14_000_000),
            sizes=("1K", "2K", "4K"),
            max_inputs=14,
            search=True,
            input_tokens=560,
            result_tokens=(1_120, 1_120, 2_000),
        ),
        ModelProfile(
            id="gemini-3.1-flash-lite-image",
            prices=Prices(input=250_000, output=1_500_000, image=30_000_000),
            sizes=("1K",),
            ratios=_RATIOS_14,
            max_inputs=14,
            thinking_levels=("minimal", "high"),
            thinking="minimal",
        ),
        ModelProfile(
            id="gemini-2.5-flash-image",
            prices=Prices(input=300_000, output=2_500_000, image=30_000_000),
            system_instruction=False,
            result_tokens=(1_290,),
            thinking_tokens=0,
            note="Its maker is switching this model off. Please choose another one soon.",
        ),
    )
}
"""Models that make pictures."""

TEXT_MODELS: Mapping[str, ModelProfile] = {
    profile.id: profile
    for profile in (
        ModelProfile(
            id=DEFAULT_TEXT_MODEL,
            prices=Prices(input=300_000, output=2_500_000, image=0),
            ratios=(),
            max_inputs=14,
            thinking_levels=("minimal", "low", "medium", "high"),
            thinking="minimal",
            search=True,
            thinking_tokens=500,
            note=_UNCHECKED,
        ),
        ModelProfile(
            id="gemini-3.5-flash",
            # What it asks for sounds stands in no source at hand: taken for twice as dear as words.
            prices=Prices(input=1_500_000, output=9_000_000, image=0, input_audio=3_000_000),
            ratios=(),
            max_inputs=14,
            thinking_levels=("minimal", "low", "medium", "high"),
            thinking="minimal",
            search=True,
            thinking_tokens=500,
            note=_UNCHECKED,
        ),
    )
}
"""Models that give words: they listen, and read what is written in a picture."""

_DEAREST = Prices(input=2_000_000, output=12_000_000, image=120_000_000, input_audio=3_000_000, search=14_000_000)


def model_profile(model_id: str, overrides: Mapping[str, object] | None = None) -> ModelProfile:
    """The profile of a model, for pictures or for words, corrected or added by a setting.

    `overrides` maps model ids to the fields that differ, with prices in US dollars as they are published, per million
    tokens or thousand searches: {"my-model": {"max_inputs": 6, "prices": {"input": 1.5, "output": 7.5, "image": 30}}}.
    A model that is in neither gets a cautious profile whose `note` says so. Raises `ValueError`, in words for the
    operator; a mistake in an entry for another model is found too.
    """
    if not model_id.strip():
        raise ValueError("The Gemini model has no name. Leave the setting out to use the default.")
    corrected = {name: _corrected(name, entry) for name, entry in (overrides or {}).items()}
    return corrected.get(model_id) or _known(model_id) or _unknown(model_id)


def _known(model_id: str) -> ModelProfile | None:
    return MODELS.get(model_id) or TEXT_MODELS.get(model_id)


def _unknown(model_id: str) -> ModelProfile:
    """As dear as the dearest, as able as the least able."""
    return ModelProfile(
        id=model_id,
        prices=_DEAREST,
        system_instruction=False,
        result_tokens=(2_000,),
        note=f"Nothing is known about the model {model_id}: its limits and prices are cautious guesses.",
    )


def _corrected(model_id: str, entry: object) -> ModelProfile:
    known = _known(model_id) or replace(_unknown(model_id), note="", prices=replace(_DEAREST, input_audio=None))
    if not isinstance(entry, Mapping):
        raise ValueError(f'What is said about the model "{model_id}" must be a table of fields.')
    changes = dict(cast("Mapping[str, object]", entry))
    possible = [field.name for field in fields(ModelProfile) if field.name != "id"]
    if strange := [name for name in changes if name not in possible]:
        raise ValueError(f'A model has no "{strange[0]}". Possible are: {", ".join(possible)}.')
    try:
        if "prices" in changes:
            changes["prices"] = asdict(known.prices) | _microusd(changes["prices"])
        if isinstance(tokens := changes.get("result_tokens"), int):
            changes["result_tokens"] = (tokens,)
        return TypeAdapter(ModelProfile).validate_python(asdict(known) | changes)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, problem["loc"])) or "an entry"
        raise ValueError(f'For the model "{model_id}", {where} is not usable: {problem["msg"]}.') from None


def _microusd(dollars: object) -> dict[str, int]:
    """Published prices, US dollars per million tokens, in ours."""
    kinds = {field.name for field in fields(Prices)}
    checked = TypeAdapter(dict[str, float]).validate_python(dollars)
    if strange := set(checked) - kinds:
        raise ValueError(f'There is no price for "{strange.pop()}", only for {", ".join(sorted(kinds))}.')
    return {kind: round(price * 1_000_000) for kind, price in checked.items()}


def _log_of(ratio: str) -> float:
    """Twice as wide is as far away as half as wide."""
    width, height = map(int, ratio.split(":"))
    return math.log(width / height)
