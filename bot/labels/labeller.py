"""Renditions: a master made ready for the place it goes to, with the label in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.domain.images import Picture
from bot.domain.labels import Label, Profile, mark_words
from bot.domain.messages import ChatCapabilities
from bot.domain.refs import Sha256
from bot.labels.fingerprint import fingerprint_of
from bot.labels.mark import Marker
from bot.labels.metadata import ADDED_BYTES, label_file

Reencode = Callable[[Picture, str, int | None], Picture]
"""The picture in a media type and at most so many bytes; the very same where it is both already."""
Finish = Callable[[bytes, str, Label, Mapping[Sha256, bytes], str], bytes]
"""The last thing that is done to a file (bot/labels/signing.py), of this media type: after it not a byte changes. The
files that `Label.work` names are at hand as far as they are still there. Last comes the code of what it looks like
(ISCC), empty where none is asked for."""

_SMALLEST_FIRST = ("image/jpeg", "image/webp", "image/png")
_SMALLEST_WITH_ALPHA_FIRST = ("image/webp", "image/png", "image/jpeg")


class MetadataLabeller:
    """Writes the label into the file (`bot.ports.Labeller`): the mark where the place asks for one, the metadata, and
    what `finish` adds. Pixels change only where the mark or the limits ask it.

    The mark is drawn before a file is encoded anew for a place, so that it is encoded once; its letters stay as high as
    they must be, since a picture is made smaller with its mark. `producer` stands in the AIGC field.
    """

    def __init__(
        self,
        reencode: Reencode,
        finish: Finish | None = None,
        *,
        marker: Marker | None = None,
        producer: str = "Remixbot",
    ) -> None:
        self._reencode = reencode
        self._marker = marker
        self._producer = producer
        self._finish = finish

    async def render(
        self,
        master: Picture,
        label: Label | None,
        capabilities: ChatCapabilities,
        *,
        ingredients: Mapping[Sha256, bytes] | None = None,
    ) -> Picture:
        # A thread has the language of whoever asked for it.
        return await asyncio.to_thread(self._render, master, label, capabilities, ingredients or {})

    def _render(
        self,
        master: Picture,
        label: Label | None,
        capabilities: ChatCapabilities,
        ingredients: Mapping[Sha256, bytes],
    ) -> Picture:
        allowed, most_bytes, profile = capabilities.media_types, capabilities.max_file_bytes, capabilities.profile
        marked = self._marked(master, label, profile)
        labelled = self._labelled(self._reencode(marked, _preferred(master, allowed), None), label, profile)
        made = self._finished(labelled, label, profile, ingredients)
        if most_bytes is None or len(made.data) <= most_bytes:
            return made
        finish_bytes = len(made.data) - len(labelled.data)
        room_bytes = max(most_bytes - ADDED_BYTES - finish_bytes, most_bytes // 2)
        labelled = self._labelled(self._reencode(marked, _smallest(master, allowed), room_bytes), label, profile)
        made = self._finished(labelled, label, profile, ingredients)
        # Credentials that leave no room for the picture are not worth it.
        return made if len(made.data) <= most_bytes else labelled

    def _marked(self, master: Picture, label: Label | None, profile: Profile) -> Picture:
        words = mark_words(label, profile)
        if not words:
            return master
        if self._marker is None:
            raise ValueError("a mark is asked for, and nothing is there to draw it")
        return self._marker.draw(master, words, strict=profile is Profile.CN)

    def _labelled(self, picture: Picture, label: Label | None, profile: Profile) -> Picture:
        data = label_file(picture, label, producer=self._producer if profile is Profile.CN else "")
        return replace(picture, data=data, provenance=label.provenance if label else picture.provenance)

    def _finished(
        self, labelled: Picture, label: Label | None, profile: Profile, ingredients: Mapping[Sha256, bytes]
    ) -> Picture:
        if self._finish is None or label is None:
            return labelled
        looks = _looks(labelled) if profile is Profile.EU else ""
        return replace(labelled, data=self._finish(labelled.data, labelled.media_type, label, ingredients, looks))


def _looks(picture: Picture) -> str:
    """The code of the very pixels that are sent; empty of a picture that is too flat. A PNG is decoded for it: as long
    as ten signatures."""
    found = fingerprint_of(picture.data, picture.media_type)
    return found.iscc if found else ""


def _preferred(master: Picture, allowed: Sequence[str]) -> str:
    """The master's own type where it may go there; else the place's favourite that keeps what is transparent."""
    if master.media_type in allowed:
        return master.media_type
    keeping = [media_type for media_type in allowed if media_type != "image/jpeg" or not master.has_alpha]
    return next(iter(keeping), allowed[0])


def _smallest(master: Picture, allowed: Sequence[str]) -> str:
    order = _SMALLEST_WITH_ALPHA_FIRST if master.has_alpha else _SMALLEST_FIRST
    return next(media_type for media_type in order if media_type in allowed)
