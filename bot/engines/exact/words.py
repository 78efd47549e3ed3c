"""An instruction as plain tokens: spelling, units and fixed phrases made one, each token knowing where it came from.

Nothing is dropped here but articles: what is not known stays in the way, so that no rule of the grammar can pass it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTED = r"""
    "[^"]*" | “[^”“]*” | ”[^”]*” | „[^“”„]*[“”] | «[^»]*» | »[^«]*« | 「[^」]*」
    | (?<!\w)‘.*?’(?!\w) | (?<!\w)'.+?'(?!\w)
"""
_TOKEN = re.compile(
    rf"""
    (?P<quoted>{_QUOTED})
    | (?P<hex>\#[0-9a-fA-F]+)
    | (?P<number>(?:(?<![\w.,%)])[-+−])?(?:[0-9]+(?:[.,][0-9]+)*|\.[0-9]+))
    | (?P<hyphen>(?<=[^\W_])[-‐‑](?=[^\W_]))
    | (?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?)
    | (?P<newline>\n\s*)
    | (?P<symbol>[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)

QUOTE = "«»"
"""The token that stands for words in quotation marks."""

_SPELLINGS = {
    **dict.fromkeys(("color", "colour"), "color"),
    **dict.fromkeys(("colors", "colours"), "colors"),
    **dict.fromkeys(("colorful", "colourful"), "colorful"),
    **dict.fromkeys(("colored", "coloured"), "colored"),
    **dict.fromkeys(("grey", "gray"), "gray"),
    **dict.fromkeys(("greyscale", "grayscale"), "grayscale"),
    **dict.fromkeys(("centre", "center", "middle"), "center"),
    **dict.fromkeys(("centred", "centered"), "centered"),
    **dict.fromkeys(("pixelate", "pixelise", "pixelize"), "pixelate"),
    **dict.fromkeys(("pixelated", "pixelised", "pixelized", "pixelly"), "pixelated"),
    **dict.fromkeys(("px", "pixel", "pixels", "pxs"), "px"),
    **dict.fromkeys(("%", "percent", "pct"), "%"),
    **dict.fromkeys(("°", "deg", "degree", "degrees"), "deg"),
    **dict.fromkeys(("kb", "kilobyte", "kilobytes", "kbytes"), "kb"),
    **dict.fromkeys(("mb", "megabyte", "megabytes", "mbytes"), "mb"),
    **dict.fromkeys(("picture", "photo", "image", "pic", "photograph", "img"), "picture"),
    **dict.fromkeys(("pictures", "photos", "images", "pics", "photographs"), "pictures"),
    **dict.fromkeys(("jpeg", "jpg"), "jpeg"),
    **dict.fromkeys(("&", "and"), "and"),
    **dict.fromkeys(("×", "x"), "x"),
    **dict.fromkeys(("pls", "plz", "please"), "please"),
    **dict.fromkeys(("–", "—", "→", "•", "\n"), ";"),
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "eleven": "11",
    "twelve": "12",
    "ninety": "90",
    "½": "half",
    "⅓": "third",
    "¼": "quarter",
}

_THE = r"(?:the|this|that|these|those|my|our)"
_PHRASES: tuple[tuple[str, str], ...] = (
    (r"per cent", "%"),
    (r"(?:black and white|b and w|b / w|bw|black white)", "bw"),
    (r"gray scale", "grayscale"),
    (r"(?:1|single|solid|one) colored", "plain"),
    (r"(?:1|single|solid) color", "plain"),
    (r"side by side", "sidebyside"),
    (r"before (?:and|/) after", "beforeafter"),
    (r"(?:clock wise)", "clockwise"),
    (r"(?:counter|anti) ?clock ?wise", "counterclockwise"),
    (r"up ?side down", "upsidedown"),
    (r"(?:a (?:little|tiny|wee) bit|a bit|a little|a touch|a tad|slightly|somewhat|a smidge)", "slightly"),
    (r"(?:a whole lot|a lot|quite a lot|very much|much|lots|way|heavily|strongly|far|very|really)", "much"),
    (rf"(?:(?:all|both|each|every|each of|all of|both of) )?(?:{_THE} )?(?:whole |entire |full )?pictures?", "it"),
    (r"(?:all of |both of |each of )?(?:it|this|these|those|them)", "it"),
    (r"(?:the )?whole thing|everything", "it"),
)
_COMPILED = tuple((re.compile(rf"(?:^|(?<= )){phrase}(?= |$)"), to) for phrase, to in _PHRASES)
_THEM = re.compile(r"\b(?:them|these|those)$")
_ARTICLES = frozenset({"the", "a", "an"})


@dataclass(frozen=True, slots=True)
class Token:
    """`text` in its plain form; `start` and `end` of what it stands for in the person's own words."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Wording:
    """An instruction in plain form: its tokens, and `plain`, the same joined by single spaces."""

    original: str
    tokens: tuple[Token, ...]
    quotes: tuple[str, ...]

    @property
    def says_them(self) -> bool:
        """Whether it speaks of several things without saying which."""
        return any(token.text == "it" and _THEM.search(self._own(token)) for token in self.tokens)

    def _own(self, token: Token) -> str:
        return self.original[token.start : token.end].lower()

    @property
    def plain(self) -> str:
        return " ".join(token.text for token in self.tokens)

    def own_words(self, first: int, end: int) -> str:
        """What the tokens `first` up to, without, `end` stand for, as the person wrote it."""
        if first >= end:
            return self.original.strip()
        return self.original[self.tokens[first].start : self.tokens[end - 1].end].strip()


def wording_of(instruction: str) -> Wording:
    """Split and spell plainly. Every token that is not known stays as it is."""
    tokens: list[Token] = []
    quotes: list[str] = []
    for found in _TOKEN.finditer(instruction):
        text = found.group()
        match found.lastgroup:
            case "quoted":
                quotes.append(text[1:-1])
                text = QUOTE
            case "hyphen":
                continue
            case "newline":
                text = ";"
            case _:
                text = text.lower().replace("’", "'").replace("−", "-")
        tokens.append(Token(_SPELLINGS.get(text, text), found.start(), found.end()))
    for pattern, replacement in _COMPILED:
        tokens = _with_phrase(tokens, pattern, replacement)
    kept = tuple(token for token in tokens if token.text not in _ARTICLES)
    return Wording(instruction, kept, tuple(quotes))


def _with_phrase(tokens: list[Token], pattern: re.Pattern[str], replacement: str) -> list[Token]:
    """The tokens with every run that the pattern matches made one."""
    plain = " ".join(token.text for token in tokens)
    result: list[Token] = []
    done = 0
    for found in pattern.finditer(plain):
        first = plain.count(" ", 0, found.start())
        last = first + found.group().count(" ")
        result += tokens[done:first]
        result.append(Token(replacement, tokens[first].start, tokens[last].end))
        done = last + 1
    return result + tokens[done:]
