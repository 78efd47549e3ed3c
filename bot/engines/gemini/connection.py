"""One open client for all who ask."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from bot.domain.errors import EngineFailed
from bot.domain.language import N_, tr
from bot.engines.gemini.access import Access

if TYPE_CHECKING:
    from bot.engines.gemini.client import GeminiClient

NOT_OPENED = N_("Gemini is not set up right. Please tell whoever runs this bot.")


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
