"""The generative engine: Google's Gemini models, asked by words."""

from bot.engines.gemini.access import Access, Enterprise
from bot.engines.gemini.engine import GeminiEngine
from bot.engines.gemini.models import (
    DEFAULT_MODEL,
    DEFAULT_TEXT_MODEL,
    MODELS,
    TEXT_MODELS,
    ModelProfile,
    Prices,
    model_profile,
)
from bot.engines.gemini.text import GeminiTextModel

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_TEXT_MODEL",
    "MODELS",
    "TEXT_MODELS",
    "Access",
    "Enterprise",
    "GeminiEngine",
    "GeminiTextModel",
    "ModelProfile",
    "Prices",
    "model_profile",
]
