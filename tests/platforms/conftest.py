"""What tests of several pages share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, DummyCookieJar

from tests.fakes.rooms import PageRig


@pytest.fixture
async def stranger(rig: PageRig) -> AsyncIterator[ClientSession]:
    """Somebody without a cookie, under the public name of the page that the module's `rig` has."""
    headers = {"Host": "remix.example"}
    async with ClientSession(rig.url, cookie_jar=DummyCookieJar(), headers=headers) as http:
        yield http
