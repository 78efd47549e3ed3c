"""The table of what the exact engine understands: one rule per way of saying something."""

from bot.engines.exact.grammar.rules import Found, Rule

__all__ = ["RULES", "Found", "Rule"]

from bot.engines.exact.grammar.adding import ADDING
from bot.engines.exact.grammar.colour import COLOURING
from bot.engines.exact.grammar.cropping import CROPPING
from bot.engines.exact.grammar.files import FILES
from bot.engines.exact.grammar.focus import FOCUSING
from bot.engines.exact.grammar.lettering import LETTERING
from bot.engines.exact.grammar.shape import SHAPING
from bot.engines.exact.grammar.together import TOGETHER

RULES: tuple[Rule, ...] = (*SHAPING, *CROPPING, *COLOURING, *FOCUSING, *ADDING, *LETTERING, *TOGETHER, *FILES)
