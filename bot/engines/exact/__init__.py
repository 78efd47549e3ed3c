"""The exact engine: what is said in plain words and needs no eyes is done as said, pixel by pixel."""

from bot.engines.exact.engine import ExactEngine

__all__ = ["ExactEngine"]
