"""The way to the API: whose it is, where it stands, and one open client for all who ask."""

from __future__ import annotations

import asyncio
import importlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.domain.errors import EngineFailed
from bot.domain.language import N_, tr

if TYPE_CHECKING:
    from bot.engines.gemini.client import GeminiClient

_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{0,80}", re.ASCII)
_LOCATION = re.compile(r"[a-z][a-z0-9-]{0,40}", re.ASCII)
NOT_OPENED = N_("Gemini is not set up right. Please tell whoever runs this bot.")


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A project on Google Cloud. Who we are is what Google's own libraries find on this machine."""

    project: str
    location: str = "global"

    def __post_init__(self) -> None:
        if not _PROJECT.fullmatch(self.project):
            raise ValueError("Google Cloud needs the id of a project, such as my-project-123.")
        if not _LOCATION.fullmatch(self.location):
            raise ValueError('A location on Google Cloud is named like "global" or "europe-west4".')


@dataclass(frozen=True, slots=True)
class Access:
    """A key for the Developer API or, with `enterprise`, a project on Google Cloud. `base_url` is where the API
    stands, None for Google's own."""

    api_key: str = field(default="", repr=False)
    enterprise: Enterprise | None = None
    base_url: str | None = None


class Connection:
    """Opens the client when it is first needed, and keeps it. It belongs to the event loop that opened it."""

    def __init__(self, access: Access, *, timeout_s: float = 300.0) -> None:
        self.access = access
        self._timeout_s = timeout_s
        self._opening = asyncio.Lock()
        self._client: GeminiClient | None = None

    async def opened(self) -> GeminiClient:
        """Raises `EngineFailed` where key, address or certificates are unusable."""
        async with self._opening:
            if self._client is None:
                # In a thread, and not before it is needed: the first import of the SDK takes over a second.
                await asyncio.to_thread(importlib.import_module, "bot.engines.gemini.client")
                from bot.engines.gemini.client import GeminiClient

                try:
                    self._client = await GeminiClient.open(self.access, timeout_s=self._timeout_s)
                except (ValueError, OSError):
                    raise EngineFailed(tr(NOT_OPENED)) from None
            return self._client

    async def aclose(self) -> None:
        """Close the client. A later call would open another one."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
