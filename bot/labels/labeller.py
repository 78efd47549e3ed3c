"""Renditions: a master made ready for the place it goes to, with the label in its file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.domain.images import Picture
from bot.domain.labels import Label
from bot.domain.messages import ChatCapabilities
from bot.domain.refs import Sha256
from bot.labels.metadata import ADDED_BYTES, label_file

Reencode = Callable[[Picture, str, int | None], Picture]
"""The picture in a media type and at most so many bytes; the very same where it is both already."""

Finish = Callable[[bytes, str, Label, Mapping[Sha256, bytes]], bytes]
"""The last thing that is done to a file (bot/labels/signing.py): its bytes, its media type, its label, ingredients."""

_SMALLEST_FIRST = ("image/jpeg", "image/webp", "image/png")
_SMALLEST_WITH_ALPHA_FIRST = ("image/webp", "image/png", "image/jpeg")


class MetadataLabeller:
    """Writes the label into the file's metadata (`bot.ports.Labeller`). Pixels change only where the limits ask it."""

    def __init__(self, reencode: Reencode, finish: Finish | None = None) -> None:
        self._reencode = reencode
        self._finish = finish

    async def render(
        self,
        master: Picture,
        label: Label | None,
        capabilities: ChatCapabilities,
        *,
        ingredients: Mapping[Sha256, bytes] | None = None,
    ) -> Picture:
        return await asyncio.to_thread(self._render, master, label, capabilities, ingredients or {})

    def _render(
        self,
        master: Picture,
        label: Label | None,
        capabilities: ChatCapabilities,
        ingredients: Mapping[Sha256, bytes],
    ) -> Picture:
        allowed, most_bytes = capabilities.media_types, capabilities.max_file_bytes
        labelled = _labelled(self._reencode(master, _preferred(master, allowed), None), label)
        made = self._finished(labelled, label, ingredients)
        if most_bytes is None or len(made.data) <= most_bytes:
            return made
        signed_bytes = len(made.data) - len(labelled.data)
        room_bytes = max(most_bytes - ADDED_BYTES - signed_bytes, most_bytes // 2)
        labelled = _labelled(self._reencode(master, _smallest(master, allowed), room_bytes), label)
        made = self._finished(labelled, label, ingredients)
        # Credentials that leave no room for the picture are not worth it.
        return made if len(made.data) <= most_bytes else labelled

    def _finished(self, labelled: Picture, label: Label | None, ingredients: Mapping[Sha256, bytes]) -> Picture:
        if self._finish is None or label is None:
            return labelled
        return replace(labelled, data=self._finish(labelled.data, labelled.media_type, label, ingredients))


def _labelled(picture: Picture, label: Label | None) -> Picture:
    provenance = label.provenance if label else picture.provenance
    return replace(picture, data=label_file(picture, label), provenance=provenance)


def _preferred(master: Picture, allowed: Sequence[str]) -> str:
    """The master's own type where it may go there; else the place's favourite that keeps what is transparent."""
    if master.media_type in allowed:
        return master.media_type
    keeping = [media_type for media_type in allowed if media_type != "image/jpeg" or not master.has_alpha]
    return next(iter(keeping), allowed[0])


def _smallest(master: Picture, allowed: Sequence[str]) -> str:
    order = _SMALLEST_WITH_ALPHA_FIRST if master.has_alpha else _SMALLEST_FIRST
    return next(media_type for media_type in order if media_type in allowed)
