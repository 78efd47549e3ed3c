"""What is known of pictures beside their pixels: whose they are, and what the platform says of their origin."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.arrivals import unseen, with_origin
from bot.domain.images import Picture, Provenance
from bot.domain.messages import NOBODY, Attachment, MessageRecord, Quoted
from bot.domain.refs import MessageRef, Person, thread_id_of
from tests.values import ANNA, BEN, CHAT, image, message

PHOTO = MessageRef(CHAT, "photo")
KNOWN, EDITED, GENERATED = Provenance.UNKNOWN, Provenance.AI_EDITED, Provenance.AI_GENERATED


@pytest.mark.parametrize(
    ("in_the_file", "said", "then"),
    [
        (KNOWN, None, KNOWN),
        (KNOWN, EDITED, EDITED),
        (KNOWN, GENERATED, GENERATED),
        (EDITED, GENERATED, GENERATED),
        (GENERATED, EDITED, GENERATED),
        (GENERATED, KNOWN, GENERATED),
        (GENERATED, None, GENERATED),
    ],
)
def test_what_the_platform_says_of_a_pictures_origin_never_weakens_what_its_file_says(
    in_the_file: Provenance, said: Provenance | None, then: Provenance
) -> None:
    picture = Picture(b"", "image/png", 1, 1, provenance=in_the_file)
    assert with_origin(picture, said) == replace(picture, provenance=then)


def test_a_picture_that_is_nobodys_to_give_has_no_owner_before_it_is_fetched() -> None:
    files = (Attachment("a", "a.jpg", owner=NOBODY), Attachment("b", "b.jpg"))
    quoted = Quoted(PHOTO, Person(BEN, "Ben"), files)
    target = MessageRecord(PHOTO, thread_id_of(PHOTO), author=BEN, author_name="Ben")
    ground = unseen(replace(message(attachments=files, reply_to=PHOTO), quoted=quoted), target)
    assert [each.owner for each in ground.inputs] == [None, ANNA, None, BEN]
    assert ground.owners == (ANNA, BEN)


def test_a_picture_that_is_nobodys_to_give_has_no_owner_afterwards() -> None:
    sources = (image("a"), image("b"))
    record = MessageRecord(PHOTO, thread_id_of(PHOTO), author=BEN, sources=sources, owners=(NOBODY, None))
    assert (record.owner_of(0), record.owner_of(1)) == (None, Person(BEN))
