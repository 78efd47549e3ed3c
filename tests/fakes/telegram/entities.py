"""Entities: what Telegram finds in a text by itself, what was sent along with it, what a parse mode makes of it.
Offsets and lengths are in UTF-16 units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape

from tests.fakes.telegram.refusals import Json, bad

_FOUND = (
    ("mention", re.compile(r"(?<![\w@/])@([A-Za-z0-9_]{3,32})(?![\w])")),
    ("bot_command", re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")),
    ("hashtag", re.compile(r"(?<![\w#])#(?!\d+(?!\w))\w{1,256}")),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("url", re.compile(r"(?<![\w@])(?:https?://[^\s<>\"]+|(?:[a-z0-9-]+\.)+(?:com|org|net|io|me)\b(?:/\S*)?)", re.I)),
)  # fmt: skip
_CLOSED = ("code", "pre", "text_link", "text_mention")
KINDS = {
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold", "italic", "underline",
    "strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link", "text_mention",
    "custom_emoji", "date_time",
}  # fmt: skip
_OWN = {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"}
_INVISIBLE = re.compile(r"[\s\u00ad\u034f\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff]*")


def units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def is_empty(text: str) -> bool:
    """Spaces and what nobody sees are nothing."""
    return _INVISIBLE.fullmatch(text) is not None


def part(text: str, entity: Json) -> str:
    raw = text.encode("utf-16-le")
    return raw[entity["offset"] * 2 : (entity["offset"] + entity["length"]) * 2].decode("utf-16-le", "replace")


def settled(text: str, given: Sequence[Json], *, parse_mode: str = "") -> tuple[str, list[Json]]:
    """The text without space around it, and all its entities, in order."""
    sent = [dict(each) for each in given]
    if parse_mode and not sent:
        text, sent = parsed(text, parse_mode)
    _check(text, sent)
    lead = units(text) - units(text.lstrip())
    text = text.strip()
    whole = units(text)
    kept = []
    for each in sent:
        start = max(0, each["offset"] - lead)
        end = min(whole, each["offset"] - lead + each["length"])
        if end > start and each["type"] not in _OWN:
            kept.append(each | {"offset": start, "length": end - start})
    closed = [(each["offset"], each["offset"] + each["length"]) for each in kept if each["type"] in _CLOSED]
    for kind, pattern in _FOUND:
        for match in pattern.finditer(text):
            start, end = units(text[: match.start()]), units(text[: match.end()])
            if all(end <= low or start >= high for low, high in closed):
                kept.append({"type": kind, "offset": start, "length": end - start})
    return text, sorted(kept, key=lambda each: (each["offset"], -each["length"]))


def _check(text: str, entities: Sequence[Json]) -> None:
    raw = text.encode("utf-16-le")
    for each in entities:
        if each.get("type") not in KINDS:
            raise bad(f'can\'t parse MessageEntity: Unsupported type "{each.get("type")}" of the entity specified')
        if each["offset"] < 0 or each["length"] < 0:
            raise bad("can't parse MessageEntity: offset and length must not be negative")
        for edge in (each["offset"], each["offset"] + each["length"]):
            low = raw[edge * 2 : edge * 2 + 2]
            if len(low) == 2 and 0xDC00 <= int.from_bytes(low, "little") < 0xE000:
                raise bad(f"can't parse entities: entity begins or ends in the middle of a UTF-16 symbol at {edge}")
        if each["type"] == "text_link" and not each.get("url"):
            raise bad("can't parse MessageEntity: Can't find field \"url\"")
        if each["type"] == "text_mention" and not each.get("user"):
            raise bad("can't parse MessageEntity: Can't find field \"user\"")


_TAGS = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
         "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "code": "code", "pre": "pre",
         "tg-spoiler": "spoiler", "blockquote": "blockquote", "a": "text_link"}  # fmt: skip
_MARKS = {"MarkdownV2": {"*": "bold", "__": "underline", "_": "italic", "~": "strikethrough", "||": "spoiler",
                         "`": "code"},
          "Markdown": {"*": "bold", "_": "italic", "`": "code"}}  # fmt: skip


def parsed(text: str, mode: str) -> tuple[str, list[Json]]:
    match mode.lower():
        case "html":
            return _html(text)
        case "markdown" | "markdownv2":
            return _marked(text, "MarkdownV2" if mode.lower() == "markdownv2" else "Markdown")
        case _:
            raise bad("unsupported parse_mode")


def _html(text: str) -> tuple[str, list[Json]]:
    plain, found, standing = "", list[Json](), list[tuple[str, int, str]]()
    for piece in re.split(r"(<[^<>]*>)", text):
        tag = re.fullmatch(r"<(/?)([a-zA-Z-]+)([^<>]*)>", piece)
        if not tag:
            if "<" in piece:
                raise bad(f"can't parse entities: Unexpected character at byte offset {text.index(piece)}")
            plain += unescape(piece)
            continue
        name = tag[2].lower()
        if name not in _TAGS:
            raise bad(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {text.index(piece)}')
        if not tag[1]:
            standing.append((name, units(plain), tag[3]))
            continue
        if not standing or standing[-1][0] != name:
            raise bad(f"can't parse entities: Unexpected end tag at byte offset {text.index(piece)}")
        _, start, more = standing.pop()
        entity: Json = {"type": _TAGS[name], "offset": start, "length": units(plain) - start}
        link = re.search(r"href=[\"']([^\"']*)", more)
        if name == "a" and link:
            entity |= {"url": unescape(link[1])}
        found.append(entity)
    if standing:
        raise bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{standing[-1][0]}\"")
    return plain, found


def _marked(text: str, mode: str) -> tuple[str, list[Json]]:
    marks = _MARKS[mode]
    pattern = "|".join(re.escape(each) for each in sorted(marks, key=len, reverse=True))
    plain, found, standing = "", list[Json](), dict[str, int]()
    for piece in re.finditer(rf"\\(.)|\[([^\]]*)\]\(([^)]*)\)|({pattern})|(.)", text, re.S):
        escaped, label, url, mark, plainly = piece.groups()
        if url is not None:
            start = units(plain)
            plain += label
            found.append({"type": "text_link", "offset": start, "length": units(label), "url": url})
        elif mark and mark in standing:
            start = standing.pop(mark)
            found.append({"type": marks[mark], "offset": start, "length": units(plain) - start})
        elif mark:
            standing[mark] = units(plain)
        elif plainly and mode == "MarkdownV2" and plainly in "[]()>#+-=|{}.!":
            raise bad(
                f"can't parse entities: Character '{plainly}' is reserved and must be escaped with the preceding '\\'"
            )
        else:
            plain += escaped or plainly or ""
    if standing:
        raise bad(
            f"can't parse entities: Can't find end of the entity starting at byte offset {text.index([*standing][-1])}"
        )
    return plain, [each for each in found if each["length"]]
