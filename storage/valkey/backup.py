"""A copy of the database that comes along, taken while it runs."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

_FILES = "appendonlydir"
_LOOK_S = 0.05


async def copy_database(client: Redis, data: Path, folder: Path) -> None:
    """Copy the append-only files of this data folder while they grow. They are not written anew meanwhile: a copy would
    have some of the old ones and some of the new ones. A last command that was copied by half is cut off when it is
    read. Raises `OSError`."""
    server: Any = client
    every = (await server.config_get("auto-aof-rewrite-percentage"))["auto-aof-rewrite-percentage"]
    await server.config_set("auto-aof-rewrite-percentage", 0)
    try:
        while (await server.info("persistence"))["aof_rewrite_in_progress"]:  # noqa: ASYNC110 it tells nobody
            await asyncio.sleep(_LOOK_S)
        await asyncio.to_thread(shutil.copytree, data / "valkey" / _FILES, folder / "valkey" / _FILES)
    finally:
        await server.config_set("auto-aof-rewrite-percentage", every)
