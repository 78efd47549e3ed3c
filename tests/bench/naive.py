"""The turn as it is written first: SDK and Pillow with their defaults, one await after the other.

The yardstick of `tests.bench.turns`. It keeps what the product keeps (a message, a turn, the pixels, a label in the
file and on the picture) in the most common way: a hash and a list in Redis, files on disk, the picture decoded, drawn
on and encoded again.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps, PngImagePlugin
from redis.asyncio import Redis

Model = Callable[[bytes, str], Awaitable[bytes]]
_XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- compositeWithTrainedAlgorithmicMedia --></x:xmpmeta>'


class NaiveBot:
    """`folder` takes the pictures, `model` turns a picture and words into a picture."""

    def __init__(self, redis: Redis, folder: Path, model: Model) -> None:
        self._redis = redis
        self._folder = folder
        self._model = model

    async def turn(self, chat: str, words: str, upload: bytes | None) -> bytes:
        """One message in, one labelled picture out."""
        message = json.dumps({"text": words, "at": time.time()})
        await self._redis.rpush(f"naive:{chat}:messages", message)
        await self._redis.expire(f"naive:{chat}:messages", 1000)
        history = await self._redis.lrange(f"naive:{chat}:messages", -50, -1)
        last = await self._redis.get(f"naive:{chat}:last")
        source = self._upright(upload) if upload else (self._folder / str(last)).read_bytes()
        made = await self._model(source, "\n".join(json.loads(each)["text"] for each in history))
        labelled = self._labelled(made)
        name = hashlib.sha256(labelled).hexdigest()
        (self._folder / name).write_bytes(labelled)
        await self._redis.set(f"naive:{chat}:last", name, ex=1000)
        await self._redis.hset(f"naive:turn:{name}", mapping={"chat": chat, "words": words, "image": name})
        await self._redis.expire(f"naive:turn:{name}", 1000)
        await self._redis.publish(f"naive:{chat}", name)
        return labelled

    def _upright(self, upload: bytes) -> bytes:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(upload))).convert("RGB")
        out = io.BytesIO()
        image.save(out, "PNG")
        return out.getvalue()

    def _labelled(self, made: bytes) -> bytes:
        image = Image.open(io.BytesIO(made)).convert("RGB")
        ImageDraw.Draw(image).text((16, 16), "AI-edited", fill="white")
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", _XMP)
        out = io.BytesIO()
        image.save(out, "PNG", pnginfo=info)
        return out.getvalue()
