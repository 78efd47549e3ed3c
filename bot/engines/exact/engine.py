"""The exact engine: arithmetic on pixels, for instructions that leave nothing to guess."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from bot.domain.errors import BadRequest, NotUnderstood
from bot.domain.images import Picture
from bot.domain.labels import label_for
from bot.domain.language import tr
from bot.domain.wishes import PLAIN_WISH, Kind, Wish
from bot.engines.exact.drawing import drawn
from bot.engines.exact.drawing.together import combined
from bot.engines.exact.files import finished
from bot.engines.exact.operations import (
    BeforeAfter,
    Combining,
    Drawing,
    Grid,
    MaxBytes,
    Operation,
    Remark,
    SaveAs,
    SideBySide,
    Sticker,
)
from bot.engines.exact.reading import read
from bot.engines.pixels import decode
from bot.ports import EditRequest, EngineAnswer, EngineProfile, Reading

MOST_IMAGES = 10
_MOST_TOGETHER_PX = 160_000_000
"""Pixels of all pictures that are held at once to become one."""

_LARGEST_STICKER_BYTES = 512_000
"""As Telegram has it for static stickers: https://core.telegram.org/stickers, seen 2026-11."""


class ExactEngine:
    """Understands an instruction whole or not at all, and does what it says, at once and free of charge."""

    profile = EngineProfile(name="exact", display_name="Remixbot", generative=False, max_inputs=MOST_IMAGES)

    def read(self, instruction: str, *, images: int, wish: Wish = PLAIN_WISH) -> Reading:
        if wish.kind is not Kind.EDIT or wish.count > 1:
            return Reading(whole=False, unclear=instruction.strip())
        try:
            read(instruction, images=images)
        except NotUnderstood as error:
            return Reading(whole=False, unclear=error.part, suggestions=error.suggestions)
        return Reading(whole=True)

    def estimate_microusd(self, *, images: int, wish: Wish = PLAIN_WISH) -> int:  # noqa: ARG002 — the port's signature
        return 0

    async def edit(self, request: EditRequest) -> EngineAnswer:
        return await asyncio.to_thread(_edited, request)


@dataclass(frozen=True, slots=True)
class _Plan:
    """An instruction sorted by when it is done: to each picture, to all at once, to what they became, to the file."""

    to_each: tuple[Drawing | Remark, ...]
    joined_by: Combining | None
    to_the_whole: tuple[Drawing | Remark, ...]
    save_as: str | None
    limit_bytes: int | None

    @property
    def changes_pixels(self) -> bool:
        return bool(self.to_each or self.joined_by)


@dataclass(slots=True)
class _Remarks:
    """What is worth saying, each thing once."""

    said: dict[str, None] = field(default_factory=dict[str, None])

    def __call__(self, words: str) -> None:
        self.said[words] = None

    def __str__(self) -> str:
        return " ".join(self.said)


def _plan(operations: Sequence[Operation]) -> _Plan:
    steps: list[Drawing | Remark] = []
    to_each: tuple[Drawing | Remark, ...] = ()
    joined_by: Combining | None = None
    save_as = limit_bytes = None
    for operation in operations:
        match operation:
            case SaveAs(media_type):
                save_as = media_type
            case MaxBytes(limit):
                limit_bytes = limit
            case SideBySide() | Grid() | BeforeAfter():
                joined_by, to_each, steps = operation, tuple(steps), []
            case _:
                steps.append(operation)
    if limit_bytes is None and any(isinstance(step, Sticker) for step in steps):
        limit_bytes = _LARGEST_STICKER_BYTES
    if joined_by is None:
        return _Plan(tuple(steps), None, (), save_as, limit_bytes)
    return _Plan(to_each, joined_by, tuple(steps), save_as, limit_bytes)


def _edited(request: EditRequest) -> EngineAnswer:
    pictures = request.images
    if not pictures:
        raise BadRequest(tr("There is no picture here to work on. Send one, or reply to one."))
    if len(pictures) > MOST_IMAGES:
        raise BadRequest(tr("I take {most} pictures at once, no more.").format(most=MOST_IMAGES))
    plan = _plan(read(request.instruction, images=len(pictures)))
    remarks = _Remarks()
    if plan.joined_by is None:
        results = tuple(_one(picture, plan, remarks) for picture in pictures)
    else:
        results = (_joined(pictures, plan, plan.joined_by, remarks),)
    return EngineAnswer(images=results, remark=str(remarks))


def _one(picture: Picture, plan: _Plan, remarks: _Remarks) -> Picture:
    if not plan.changes_pixels and _is_already(picture, plan):
        remarks(tr("It already was like that."))
        return picture
    image = _with_steps(decode(picture.data), plan.to_each, remarks)
    return finished(
        image,
        source_type=picture.media_type,
        wished_type=plan.save_as,
        limit_bytes=plan.limit_bytes,
        provenance=picture.provenance,
        say=remarks,
    )


def _is_already(picture: Picture, plan: _Plan) -> bool:
    right_type = plan.save_as in (None, picture.media_type)
    return right_type and (plan.limit_bytes is None or len(picture.data) <= plan.limit_bytes)


def _joined(pictures: Sequence[Picture], plan: _Plan, joined_by: Combining, remarks: _Remarks) -> Picture:
    if sum(picture.width_px * picture.height_px for picture in pictures) > _MOST_TOGETHER_PX:
        raise BadRequest(tr("Together these pictures are too large for me. Make them smaller first, or take fewer."))
    images = [_with_steps(decode(picture.data), plan.to_each, remarks) for picture in pictures]
    whole = _with_steps(combined(images, joined_by), plan.to_the_whole, remarks)
    types = {picture.media_type for picture in pictures}
    return finished(
        whole,
        source_type=types.pop() if len(types) == 1 else "image/png",
        wished_type=plan.save_as,
        limit_bytes=plan.limit_bytes,
        provenance=label_for(generative_engine=None, inputs=[p.provenance for p in pictures]).provenance,
        say=remarks,
    )


def _with_steps(image: Image.Image, steps: Sequence[Drawing | Remark], remarks: _Remarks) -> Image.Image:
    for step in steps:
        if isinstance(step, Remark):
            remarks(tr(step.words))
        else:
            image = drawn(image, step, remarks)
    return image
