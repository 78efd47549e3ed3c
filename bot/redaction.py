"""What is never written anywhere: the secrets that this process knows, in each form in which they could turn up.

Three sieves, one behind the other: a processor for structlog (values, before they are laid out as a line), a filter for
the library `logging`, and a stream around standard error and output, where whatever else is written comes by: the
traceback of a crash, a warning, what a library prints.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO, cast
from urllib.parse import quote, quote_plus, urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings

LEFT = "[redacted]"
_LEAST_CHARS = 6
"""A shorter secret is taken out only where it stands as a word of its own: “cat” is in too many others."""
_LEAST_ENCODED_CHARS = 8
"""Of a part in base64 or of a key's own part. Shorter, it would be found by chance."""
_MOST_DEPTH = 6
_NAMED_SECRET = re.compile(r"(?:SECRET|PASSWORD|PASSWD|TOKEN|API_KEY|ACCESS_KEY|CONNECTION_STRING)(?!.*_FILE$)")
_SHAPES = re.compile(
    r"""(?<!\d)\d{6,12}:[\w-]{30,64}                                    # a token of Telegram
      | (?<![\w.-])[\w-]{23,30}\.[\w-]{6,7}\.[\w-]{27,50}               # of Discord
      | AIza[\w-]{30,45}                                                # a key of Google
      | (?<=://)[^\s/@"'<>:]{0,200}:[^\s/@"'<>]{1,500}(?=@)             # a name and a password within an address
      | -----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY-----[\w+/=\s\\]{1,20000}   # a private key
    """,
    re.VERBOSE | re.ASCII,
)
"""What looks like a secret although nobody told this process of it."""


class Redaction:
    """Takes the secrets out of texts. Costs about a microsecond per hundred characters."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {form for secret in secrets if secret for form in _forms(secret)}
        longest_first = sorted(known, key=lambda form: (-len(form), form))
        words = "|".join(_pattern(form) for form in longest_first)
        self._known = re.compile(words, re.IGNORECASE) if words else None

    def clean(self, text: str) -> str:
        """The text, with `LEFT` where a secret stood."""
        if self._known is not None:
            text = self._known.sub(LEFT, text)
        return _SHAPES.sub(LEFT, text)

    def value(self, value: object, depth: int = 0) -> object:
        """The same of whatever a line of the log carries. What is no text, number or list becomes its `repr`."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth < _MOST_DEPTH and isinstance(value, Mapping):
            rows = cast("Mapping[object, object]", value)
            return {self.clean(str(key)): self.value(each, depth + 1) for key, each in rows.items()}
        if depth < _MOST_DEPTH and isinstance(value, list | tuple | set | frozenset):
            return [self.value(each, depth + 1) for each in cast("Iterable[object]", value)]
        return self.clean(value if isinstance(value, str) else repr(value))

    def processor(self, _: object, __: str, event: Any) -> Any:
        """For structlog: behind whatever lays out exceptions, before whatever makes the line."""
        return {
            self.clean(str(key)): each if key == "exc_info" else self.value(each)
            for key, each in cast("Mapping[object, object]", event).items()
        }

    def filter(self, record: logging.LogRecord) -> bool:
        """For `logging`: of a handler, so that it also sees what other loggers hand up."""
        record.msg, record.args = self.clean(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _PLAIN.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self.clean(record.exc_text)
        if record.stack_info:
            record.stack_info = self.clean(record.stack_info)
        return True


_PLAIN = logging.Formatter()


class Clean:
    """A stream that writes no secret. Everything but `write` is the stream's own."""

    def __init__(self, stream: TextIO, redaction: Redaction) -> None:
        self.bare = stream
        self.redaction = redaction

    def write(self, text: str) -> int:
        self.bare.write(self.redaction.clean(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)


# --- which


def secrets_of(settings: BaseSettings, environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """The settings that are secret, what a token is made of, passwords within addresses; and what stands in the
    environment under a name that says so (a bucket's key)."""
    for name in type(settings).model_fields:
        value: object = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield from _parts(value.get_secret_value())
        elif isinstance(value, str) and "://" in value:
            yield from _within(value)
    for name, value in (os.environ if environ is None else environ).items():
        if _NAMED_SECRET.search(name.upper()) and len(value) >= _LEAST_ENCODED_CHARS and value[0] != "/":
            yield from _parts(value)


def _parts(secret: str) -> Iterator[str]:
    """An address is not secret, but its password is. Of `number:key` the key alone is as good as the whole."""
    secret = secret.strip()
    if "://" in secret:
        yield from _within(secret)
        return
    yield secret
    _, colon, key = secret.partition(":")
    if colon and len(key) >= _LEAST_ENCODED_CHARS:
        yield key


def _within(address: str) -> Iterator[str]:
    """The password within an address, as it stands there and decoded; the values of what its query calls a secret."""
    try:
        parts = urlsplit(address)
        password, query = parts.password, parts.query
    except ValueError:
        yield address
        return
    if password:
        yield password
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if value and re.search(r"secret|password|token|key|sig", name, re.IGNORECASE):
            yield value


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], repr(secret)[1:-1])
    packed = secret.encode()
    yield packed.hex()
    for before in range(3):
        # Where base64 begins within a longer text, a secret reads in three ways. What also holds of its neighbours'
        # bits is cut off on both sides.
        whole = base64.b64encode(b"\0" * before + packed).decode()
        core = whole[-(-before * 8 // 6) : len(whole.rstrip("=")) - (1 if len(whole) != len(whole.rstrip("=")) else 0)]
        if len(core) >= _LEAST_ENCODED_CHARS:
            yield core
            yield core.replace("+", "-").replace("/", "_")


def _pattern(form: str) -> str:
    word = re.escape(form)
    return word if len(form) >= _LEAST_CHARS else rf"(?<!\w){word}(?!\w)"
