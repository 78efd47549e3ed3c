"""Ways of saying: grey, sepia, invert, brighter, more contrast, warmer."""

from __future__ import annotations

from bot.engines.exact.grammar.rules import Found, Make, factor_of, number_of, region_of, rules
from bot.engines.exact.operations import Adjust, Gray, Invert, Operation, Quality, Sepia

_GRAY = "(bw|gray|grayscale|monochrome|gray tones)"
_INTO = "(make|turn|convert|change|set|put|render|show|get|have|want)"
_WHERE = "[(in|on|of) ]<region:region>"
_USUAL, _SLIGHT, _STRONG = 0.25, 0.1, 0.5


def _whole_or_part(make: type[Gray] | type[Sepia] | type[Invert]) -> Make:
    def operation(found: Found) -> Operation:
        return make(region_of(found["region"]))

    return operation


_gray, _sepia, _invert = _whole_or_part(Gray), _whole_or_part(Sepia), _whole_or_part(Invert)

_TONING = rules(
    (f"[{_INTO} ][it ][(in|into|to|as) ][(pure|full|all|completely) ]{_GRAY}[ (version|it|filter|effect)]", _gray),
    (f"{_INTO} <region:region> [(in|into|to) ]{_GRAY}", _gray),
    (f"[(make|turn) ][it ]{_GRAY} (in|on) <region:region>", _gray),
    ("(add|apply|use) [it ]<bw|grayscale|monochrome:kind> (filter|effect)[ to it]", _gray),
    ("(desaturate|decolorize|decolourise|decolorise)[ it][ (completely|fully)]", _gray),
    ("(remove|take out|drop|take away) [all ](color|colors)[ from it]", _gray),
    (f"[{_INTO} ][it ][(in|into|to) ]sepia[ (tone|toned|tones|version|it|filter|effect)]", _sepia),
    (f"{_INTO} <region:region> [(in|into|to) ]sepia", _sepia),
    ("(add|apply|use|give it) sepia[ (tone|filter|effect|look)][ to it]", _sepia),
    ("(sepia) (in|on) <region:region>", _sepia),
    ("(invert|negate) (it|colors|color|its colors|colors of it|it s colors|all colors)", _invert),
    ("(invert|inverted|inverted colors)", _invert),
    ("(make it|turn it into|make|convert it to|turn into) (negative|inverted)", _invert),
    ("invert [colors (of|in) ]<region:region>", _invert),
)

_MORE = {
    **dict.fromkeys(("brighter", "lighter"), (Quality.BRIGHTNESS, 1)),
    **dict.fromkeys(("darker", "dimmer"), (Quality.BRIGHTNESS, -1)),
    "warmer": (Quality.WARMTH, 1),
    **dict.fromkeys(("cooler", "colder"), (Quality.WARMTH, -1)),
    **dict.fromkeys(("brighten", "lighten"), (Quality.BRIGHTNESS, 1)),
    **dict.fromkeys(("darken", "dim"), (Quality.BRIGHTNESS, -1)),
    **dict.fromkeys(("warm", "warm up"), (Quality.WARMTH, 1)),
    **dict.fromkeys(("cool", "cool down"), (Quality.WARMTH, -1)),
    "saturate": (Quality.SATURATION, 1),
    "desaturate": (Quality.SATURATION, -1),
}
_ADJECTIVES = {
    "bright": Quality.BRIGHTNESS,
    **dict.fromkeys(("contrasty", "contrasted", "contrast"), Quality.CONTRAST),
    **dict.fromkeys(("saturated", "colorful", "vivid", "vibrant"), Quality.SATURATION),
    "warm": Quality.WARMTH,
}
_QUALITIES = {
    **dict.fromkeys(("brightness", "exposure"), Quality.BRIGHTNESS),
    "contrast": Quality.CONTRAST,
    **dict.fromkeys(("saturation", "color saturation", "vibrance"), Quality.SATURATION),
    **dict.fromkeys(("warmth", "color temperature", "temperature"), Quality.WARMTH),
}
_UP = ("more", "increase", "raise", "boost", "turn up", "bump up", "add", "higher", "up", "+", "increased", "pump up")


_COMPARATIVE = "<brighter|lighter|darker|dimmer|warmer|cooler|colder:how>"
_VERB = (
    f"<{'|'.join(('brighten', 'lighten', 'darken', 'dim', 'warm up', 'warm', 'cool down', 'cool', 'saturate'))}:how>"
)
_ADJECTIVE = f"<{'|'.join(sorted(_ADJECTIVES, key=len, reverse=True))}:what>"
_QUALITY = f"<{'|'.join(sorted(_QUALITIES, key=len, reverse=True))}:what>"
_LIFT = "<increase|raise|boost|turn up|bump up|pump up|up|add:way>"
_LOWER = "<decrease|lower|reduce|turn down|cut|drop:way>"
_MUCH = "[<amount:amount> ]"
_BY = "[ [by ]<amount:amount>]"


def _amount(words: str) -> float:
    match words:
        case "":
            return _USUAL
        case "slightly":
            return _SLIGHT
        case "much":
            return _STRONG
        case _:
            return number_of(words) / 100


def _compared(found: Found) -> Operation:
    quality, sign = _MORE[found["how"]]
    return Adjust(quality, sign * _amount(found["amount"]), region_of(found["region"]))


def _more_or_less(found: Found) -> Operation:
    quality = (_ADJECTIVES | _QUALITIES)[found["what"]]
    sign = 1 if found["way"] in _UP else -1
    return Adjust(quality, sign * _amount(found["amount"]), region_of(found["region"]))


def _signed(found: Found) -> Operation:
    return Adjust(_QUALITIES[found["what"]], number_of(found["amount"]) / 100)


def _times(found: Found) -> Operation:
    return Adjust(_ADJECTIVES[found["what"]], factor_of(found["by"]) - 1)


def _half_as(found: Found) -> Operation:
    return Adjust(_ADJECTIVES[found["what"]], -0.5)


_ADJUSTING = rules(
    ("[<amount:amount> ]<brighter|lighter|darker|dimmer|warmer:how>", _compared),
    ("<cooler|colder:how>", _compared),
    (f"(make it|make|it|turn it) {_MUCH}{_COMPARATIVE}", _compared),
    (f"[make ][it ]{_COMPARATIVE} by <amount:amount>", _compared),
    (f"make <region:region> {_MUCH}{_COMPARATIVE}", _compared),
    (f"make <region:region> {_COMPARATIVE} by <amount:amount>", _compared),
    (f"[make ][it ]{_MUCH}{_COMPARATIVE} (in|on) <region:region>", _compared),
    (f"{_VERB} it{_BY}", _compared),
    (f"<brighten|lighten|darken|saturate:how>{_BY}", _compared),
    (f"<warm|cool:how> it (up|down){_BY}", _compared),
    (f"<slightly|much:amount> {_VERB}[ it]", _compared),
    (f"{_VERB} <region:region>{_BY}", _compared),
    ("<desaturate:how> [it ][by ]<amount:amount>", _compared),
    ("<slightly:amount> <desaturate:how>[ it]", _compared),
    (f"[make ][it ]{_MUCH}<more|less:way> {_ADJECTIVE}", _more_or_less),
    (f"make <region:region> {_MUCH}<more|less:way> {_ADJECTIVE}", _more_or_less),
    (f"[<add> ][it ]{_MUCH}<more|less|higher|lower|increased|reduced:way> {_QUALITY}[ (to|of|in) it]", _more_or_less),
    (f"[<add> ][it ]{_MUCH}<more|less:way> {_QUALITY} (to|in|on) <region:region>", _more_or_less),
    (f"{_LIFT} [its ]{_QUALITY}[ (of|in) it]{_BY}", _more_or_less),
    (f"{_LOWER} [its ]{_QUALITY}[ (of|in) it]{_BY}", _more_or_less),
    (f"{_LIFT} <amount:amount> [(of|more) ]{_QUALITY}[ to it]", _more_or_less),
    (f"<slightly|much:amount> {_LIFT} [its ]{_QUALITY}[ (of|in) it]", _more_or_less),
    (f"<slightly|much:amount> {_LOWER} [its ]{_QUALITY}[ (of|in) it]", _more_or_less),
    (f"{_LIFT} [its ]{_QUALITY} (of|in) <region:region>{_BY}", _more_or_less),
    (f"{_LOWER} [its ]{_QUALITY} (of|in) <region:region>{_BY}", _more_or_less),
    (f"[turn ]{_QUALITY} <up|down:way>{_BY}", _more_or_less),
    (f"[turn ]<up|down:way> {_QUALITY}{_BY}", _more_or_less),
    (f"{_QUALITY} [by ]<signed:amount> %", _signed),
    (f"[(make it|make) ]<factor:by> as {_ADJECTIVE}", _times),
    (f"[(make it|make) ]half as {_ADJECTIVE}", _half_as),
)

COLOURING = (*_TONING, *_ADJUSTING)
