"""Secrets that stand in a file: for a setting NAME that is secret, NAME_FILE names the file.

So a container's secrets (under /run/secrets) never stand in the environment, which whoever may look at a process can
read. No error and no warning here says what stands in a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

MOST_BYTES = 64 * 1024
ENDING = "_FILE"
OTHERS = ("AWS_SECRET_ACCESS_KEY",)
"""Secrets that are no settings: the store of pictures reads them from the environment by itself."""
_GIVEN_BY_ENGINES = Path("/run/secrets")
"""Container engines mount secrets here, readable for all in the container, which is one bot."""


class BadSecretFile(ValueError):
    """In words for the operator, without what stands in the file."""


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the files of all settings that are a `SecretStr`. Raises `BadSecretFile`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = _path_of(field_name, os.environ) if field.annotation is SecretStr else None
        return (None if path is None else read_secret(field_name.upper(), path)), field_name, False

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                found[key] = value
        return found


def read_secret(name: str, path: Path) -> str:
    """What stands in the file, without the line's end."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadSecretFile(f"The file that {name}{ENDING} names cannot be read: {error.strerror}.") from None
    try:
        value = data.decode().strip()
    except UnicodeDecodeError:
        raise BadSecretFile(f"The file that {name}{ENDING} names is no text.") from None
    if not value or len(data) > MOST_BYTES or "\n" in value:
        raise BadSecretFile(f"The file that {name}{ENDING} names has to hold one line: the secret.")
    return value


def bring_others(environ: MutableMapping[str, str]) -> None:
    """Put what stands in the files of `OTHERS` into this process's own variables, where nobody else sees it. Harmless
    to repeat. Raises `BadSecretFile`."""
    for name in OTHERS:
        if path := environ.get(f"{name}{ENDING}", ""):
            value = read_secret(name, Path(path))
            if environ.get(name, "") not in ("", value):
                raise _given_twice(name)
            environ[name] = value


def _given_twice(name: str) -> BadSecretFile:
    return BadSecretFile(f"Both {name} and {name}{ENDING} are set. Set one of them.")


def exposed_secrets(settings: type[BaseSettings], environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Which of these files others on this machine can read, in words."""
    return tuple(
        f"others on this machine can read the file that {name.upper()}{ENDING} names: chmod 600 it"
        for name, path in _files(settings, os.environ if environ is None else environ)
        if _is_open_to_others(path)
    )


def _files(settings: type[BaseSettings], environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    for name, field in settings.model_fields.items():
        path = _path_of(name, environ) if field.annotation is SecretStr else None
        if path is not None:
            yield name, path
    for name in OTHERS:
        if other := environ.get(f"{name}{ENDING}", ""):
            yield name, Path(other)


def _path_of(name: str, environ: Mapping[str, str]) -> Path | None:
    path = environ.get(f"{name.upper()}{ENDING}", "")
    if path and environ.get(name.upper(), ""):
        raise _given_twice(name.upper())
    return Path(path) if path else None


def _is_open_to_others(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return bool(found.st_mode & (stat.S_IRGRP | stat.S_IROTH)) and _GIVEN_BY_ENGINES not in path.parents
