"""The boundaries of the path: every method that writes, calls or sends. Found by looking at the classes themselves, so
that a new one is a boundary by itself, unless it is written down here as one that only reads."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import storage.docket
import storage.objects
import storage.redis

OUTSIDE = (
    "adapters.discord.api.DiscordApi",
    "adapters.discord.outbound.DiscordPlatform",
    "adapters.telegram.api.TelegramApi",
    "adapters.telegram.outbound.TelegramPlatform",
    "adapters.web.outbound.WebPlatform",
    "bot.engines.gemini.engine.GeminiEngine",
    "bot.engines.gemini.text.GeminiTextModel",
)
"""What calls and sends. What writes is whatever stands in storage."""

_READING = {
    "DiscordApi": "channel close history member message open response",
    "DiscordPlatform": "capabilities close",
    "DocketTurnQueue": "run",
    "GeminiEngine": "aclose check",
    "ObstoreImageStore": "get list",
    "ObstoreNotes": "read receipt",
    "ObstoreUploads": "get list",
    "ObstoreWitness": "read",
    "RedisAlbums": "of_group of_message",
    "RedisArenaStore": "due matches voted worst",
    "RedisCastStore": "members of",
    "RedisChatStore": "decided server settings",
    "RedisConsentStore": "going never_since said standing withdrawn",
    "RedisDiscordStore": "alive chat commands interaction is_closed marks press target was",
    "RedisErasure": "forgotten grown",
    "RedisFingerprintIndex": "count nearest rows",
    "RedisImageLedger": "facts rendition",
    "RedisInbox": "aside",
    "RedisLanguageStore": "of",
    "RedisLedger": "find",
    "RedisMessageStore": "find heard latest",
    "RedisMeter": "models reserved used",
    "RedisPageStore": "events find follow image page session thread",
    "RedisPeopleStore": "allowed invitations news roll rules wait",
    "RedisRecipeStore": "all find",
    "RedisShareStore": "find",
    "RedisSight": "facts processes seen",
    "RedisSwitches": "is_on",
    "RedisTasteStore": "taste",
    "RedisTelegramStore": "closed file moved_to noted state was",
    "RedisTurnStore": "load of_person open_turns position thread",
    "TelegramApi": "admins close closed download me remote_file updates",
    "TelegramPlatform": "capabilities close",
    "WebPlatform": "capabilities",
}
READING = frozenset(f"{name}.{method}" for name, methods in _READING.items() for method in methods.split())
"""What changes nothing, or only opens, closes and waits."""

UPKEEP = frozenset({"ObstoreNotes.drop_old", "RedisConsentStore.recall", "RedisFingerprintIndex.sweep"})
"""What one process of all does every few hours, or after a restore: no message leads there, and seldom a beginning."""

LAYERS = frozenset({"Shelf", "ArenaErasure"})
"""Parts of other classes here: what they do is done within those classes' methods."""


def classes() -> dict[str, type]:
    """All that may be on the path, by name."""
    found: dict[str, type] = {}
    for package in (storage.redis, storage.objects, storage.docket):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            found |= {each.__name__: each for each in _own(module.name)}
    for path in OUTSIDE:
        module_name, _, name = path.rpartition(".")
        found[name] = getattr(importlib.import_module(module_name), name)
    return {name: found[name] for name in sorted(found) if name not in LAYERS}


def _own(module_name: str) -> Iterator[type]:
    module = importlib.import_module(module_name)
    for each in vars(module).values():
        if isinstance(each, type) and each.__module__ == module_name and not each.__name__.startswith("_"):
            yield each


def methods(of: type) -> list[str]:
    """Its own public methods that can be waited for."""
    waiting = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    return sorted(
        name for name, each in vars(of).items() if not name.startswith("_") and any(kind(each) for kind in waiting)
    )


def everything() -> list[str]:
    return [f"{name}.{method}" for name, each in classes().items() for method in methods(each)]


def boundaries() -> list[str]:
    """Every method with a before and an after that matter."""
    return [each for each in everything() if each not in READING | UPKEEP]
