"""The models that the fake has, and what each takes: by facts of November 2026, apart from the table under test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_RATIOS_10 = frozenset({"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"})
_RATIOS_14 = _RATIOS_10 | {"1:4", "4:1", "1:8", "8:1"}
_RESULT_TOKENS: Mapping[str, int] = {"1K": 1_120, "2K": 1_680, "4K": 3_780}


@dataclass(frozen=True, slots=True)
class Model:
    """What a model takes. `sizes` empty: a size may not be named. One that does not draw is a text model: it hears,
    and calls functions."""

    max_pictures: int = 14
    sizes: tuple[str, ...] = ("1K", "2K", "4K")
    ratios: frozenset[str] = _RATIOS_14
    thinking_levels: tuple[str, ...] = ()
    system_instruction: bool = True
    search: bool = False
    draws: bool = True
    picture_tokens: int = 1_120
    result_tokens: Mapping[str, int] = field(default_factory=lambda: _RESULT_TOKENS)


def _text_model(*thinking_levels: str) -> Model:
    return Model(100, (), frozenset(), thinking_levels, search=True, draws=False)


MODELS: Mapping[str, Model] = {
    "gemini-nano-banana-2.1": Model(thinking_levels=("MINIMAL", "MEDIUM", "HIGH"), search=True),
    "gemini-3-pro-image": Model(
        ratios=_RATIOS_10, search=True, picture_tokens=560, result_tokens={"1K": 1_120, "2K": 1_120, "4K": 2_000}
    ),
    "gemini-3.1-flash-lite-image": Model(sizes=("1K",), thinking_levels=("MINIMAL", "HIGH")),
    "gemini-2.5-flash-image": Model(3, (), _RATIOS_10, system_instruction=False, result_tokens={"1K": 1_290}),
    "gemini-3.5-flash-lite": _text_model("MINIMAL", "LOW", "MEDIUM", "HIGH"),
    "gemini-3.5-flash": _text_model("MINIMAL", "LOW", "MEDIUM", "HIGH"),
}
