"""What the image store remembers of the store of state, so that one that forgets is found out."""

from __future__ import annotations

from storage.objects.shelf import Shelf, open_shelf

_PATH = "witness/tide.json"


class ObstoreWitness:
    """One small object beside the pictures."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def read(self) -> bytes:
        """Empty where nothing was written."""
        try:
            return await self._shelf.get(_PATH)
        except KeyError:
            return b""

    async def write(self, data: bytes) -> None:
        await self._shelf.put(_PATH, data)


def witness(url: str) -> ObstoreWitness:
    """The witness beside the pictures of this address."""
    return ObstoreWitness(open_shelf(url))
