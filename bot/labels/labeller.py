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

_SMALLEST_FIRST = ("image/jpeg", "image/webp", "image/png")
_SMALLEST_WITH_ALPHA_FIRST = ("image/webp", "image/png", "image/jpeg")


class MetadataLabeller:
    """Writes the label into the file's metadata (`bot.ports.Labeller`). Pixels change only where the limits ask it."""

    def __init__(self, reencode: Reencode) -> None:
        self._reencode = reencode

    async def render(
        self,
        master: Picture,
        label: Label | None,
        capabilities: ChatCapabilities,
        *,
        ingredients: Mapping[Sha256, bytes] | None = None,  # noqa: ARG002 for what is signed
    ) -> Picture:
        return await asyncio.to_thread(self._render, master, label, capabilities)

    def _render(self, master: Picture, label: Label | None, capabilities: ChatCapabilities) -> Picture:
        allowed, most_bytes = capabilities.media_types, capabilities.max_file_bytes
        made = _labelled(self._reencode(master, _preferred(master, allowed), None), label)
        if most_bytes is None or len(made.data) <= most_bytes:
            return made
        return _labelled(self._reencode(master, _smallest(master, allowed), most_bytes - ADDED_BYTES), label)


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
