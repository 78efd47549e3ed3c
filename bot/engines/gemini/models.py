"""What each model can do and what it costs, as data.

Names, limits and prices are those published for the Gemini Developer API in November 2026. Models come and go within
months, so that all of it can be corrected in a setting; what is charged is always metered from the figures of the
answer itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import cast

from pydantic import TypeAdapter, ValidationError

DEFAULT_MODEL = "gemini-nano-banana-2.1"

_RATIOS_10 = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_RATIOS_14 = (*_RATIOS_10, "1:4", "4:1", "1:8", "8:1")
_INSTRUCTION_TOKENS = 4_000
"""More than a long instruction with a full story takes."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Millionths of a US dollar for a million tokens, by kind. Thinking is charged as output."""

    input: int
    output: int
    image: int


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """One model: what it takes and gives, and what it costs.

    `sizes` and `ratios` of results, the default size first; none where the model has no choice of size. `max_inputs`
    is how many images one request may carry. `input_tokens` (of one image sent), `result_tokens` (of one result at
    the default size) and `thinking_tokens` (of one request) are upper guesses. `note` says what an operator should
    know about this entry.
    """

    id: str
    prices: Prices
    sizes: tuple[str, ...] = ()
    ratios: tuple[str, ...] = _RATIOS_10
    max_inputs: int = 3
    thinking_levels: tuple[str, ...] = ()
    system_instruction: bool = True
    search: bool = False
    input_tokens: int = 1_120
    result_tokens: int = 1_120
    thinking_tokens: int = 2_000
    note: str = ""

    def __post_init__(self) -> None:
        if self.max_inputs < 1:
            raise ValueError("max_inputs must be at least 1")
        if min(asdict(self.prices).values()) < 0:
            raise ValueError("a price cannot be below 0")

    def cost_microusd(self, *, input_tokens: int, output_tokens: int, image_tokens: int) -> int:
        """What these tokens cost, rounded up. `output_tokens` are words and thoughts."""
        prices = self.prices
        total = input_tokens * prices.input + output_tokens * prices.output + image_tokens * prices.image
        return -(-total // 1_000_000)

    def estimate_microusd(self, *, images: int) -> int:
        """An upper guess of one call that is sent so many images and gives one."""
        return self.cost_microusd(
            input_tokens=_INSTRUCTION_TOKENS + images * self.input_tokens,
            output_tokens=self.thinking_tokens,
            image_tokens=self.result_tokens,
        )


MODELS: Mapping[str, ModelProfile] = {
    profile.id: profile
    for profile in (
        ModelProfile(
            id=DEFAULT_MODEL,
            prices=Prices(input=1_500_000, output=7_500_000, image=30_000_000),
            sizes=("1K", "2K", "4K"),
            ratios=_RATIOS_14,
            max_inputs=14,
            thinking_levels=("minimal", "medium", "high"),
            search=True,
        ),
        ModelProfile(
            id="gemini-3-pro-image",
            prices=Prices(input=2_000_000, output=12_000_000, image=120_000_000),
            sizes=("1K", "2K", "4K"),
            max_inputs=14,
            search=True,
        ),
        ModelProfile(
            id="gemini-3.1-flash-lite-image",
            prices=Prices(input=250_000, output=1_500_000, image=30_000_000),
            sizes=("1K",),
            ratios=_RATIOS_14,
            max_inputs=14,
            thinking_levels=("minimal", "high"),
        ),
        ModelProfile(
            id="gemini-2.5-flash-image",
            prices=Prices(input=300_000, output=2_500_000, image=30_000_000),
            system_instruction=False,
            result_tokens=1_290,
            thinking_tokens=0,
            note="Its maker is switching this model off. Please choose another one soon.",
        ),
    )
}


def model_profile(model_id: str, overrides: Mapping[str, object] | None = None) -> ModelProfile:
    """The profile of a model, corrected or added by a setting.

    `overrides` maps model ids to the fields that differ, with prices in US dollars per million tokens as they are
    published: {"my-model": {"max_inputs": 6, "prices": {"input": 1.5, "output": 7.5, "image": 30}}}. A model that is
    in neither gets a cautious profile whose `note` says so. Raises `ValueError`, in words for the operator; a mistake
    in an entry for another model is found too.
    """
    if not model_id.strip():
        raise ValueError("The Gemini model has no name. Leave the setting out to use the default.")
    corrected = {name: _corrected(name, entry) for name, entry in (overrides or {}).items()}
    return corrected.get(model_id) or MODELS.get(model_id) or _unknown(model_id)


def _unknown(model_id: str) -> ModelProfile:
    """As dear as the dearest, as able as the least able."""
    return ModelProfile(
        id=model_id,
        prices=Prices(input=2_000_000, output=12_000_000, image=120_000_000),
        system_instruction=False,
        result_tokens=2_000,
        note=f"Nothing is known about the model {model_id}: its limits and prices are cautious guesses.",
    )


def _corrected(model_id: str, entry: object) -> ModelProfile:
    known = MODELS.get(model_id) or replace(_unknown(model_id), note="")
    if not isinstance(entry, Mapping):
        raise ValueError(f'What is said about the model "{model_id}" must be a table of fields.')
    changes = dict(cast("Mapping[str, object]", entry))
    possible = [field.name for field in fields(ModelProfile) if field.name != "id"]
    if strange := [name for name in changes if name not in possible]:
        raise ValueError(f'A model has no "{strange[0]}". Possible are: {", ".join(possible)}.')
    try:
        if "prices" in changes:
            changes["prices"] = asdict(known.prices) | _microusd(changes["prices"])
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
