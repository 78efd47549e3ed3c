"""Two models on an operator's own pictures, compared blind: `remixbot eval FOLDER`. docs/eval.md describes it."""

from bot.evaluation.comparison import serve_comparison, summary
from bot.evaluation.making import Report, evaluate

__all__ = ["Report", "evaluate", "serve_comparison", "summary"]
