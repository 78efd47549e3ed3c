"""The generative engine: Google's Gemini image models, asked by words."""

from bot.engines.gemini.engine import GeminiEngine
from bot.engines.gemini.models import DEFAULT_MODEL, MODELS, ModelProfile, Prices, model_profile

__all__ = ["DEFAULT_MODEL", "MODELS", "GeminiEngine", "ModelProfile", "Prices", "model_profile"]
