"""What was done, told from the label, and signed into the file: the last thing that happens to it.

A file that cannot be signed goes out without: its label stands in its metadata and in the words beside it.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bot.domain.digital_source import AI_EDITED, AI_GENERATED, ENHANCED
from bot.domain.images import Picture, Provenance
from bot.domain.labels import MAX_INGREDIENTS, Label, Work, work_id_of
from bot.domain.labels import Ingredient as WentIn
from bot.domain.refs import Sha256
from bot.labels.credentials.library import within
from bot.labels.credentials.manifest import BadDeed, Deed, Ingredient, Relation, Step, Verb
from bot.labels.credentials.sign import Signed, sign
from bot.labels.credentials.signer import (
    BadSigner,
    CannotSign,
    Signer,
    chosen_files,
    own_anchors,
    signer_from_command,
    signer_from_files,
)
from bot.labels.credentials.store import is_endless, manifest_store, media_type_of

log = structlog.get_logger("credentials")

EXPIRES_SOON_DAYS = 30
MAX_KEPT_BYTES = 64_000
"""Of the credentials that a picture came with, as far as they may go along: thumbnails and the like do not."""
OPENING_S = 5.0
"""Longest look at the credentials that a picture comes with."""
_TERMS = {
    Provenance.UNKNOWN: ENHANCED,
    Provenance.AI_EDITED: AI_EDITED,
    Provenance.AI_GENERATED: AI_GENERATED,
}
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._:+-]+")
_MAX_AGENT_CHARS = 100


class Finish:
    """Signs what has a label that says how it came to be. Called from any thread, milliseconds long."""

    def __init__(self, signer: Signer, *, stamps: bool = False) -> None:
        """`stamps` says that a time-stamp authority is set."""
        self._signer = signer
        self._stamps = stamps
        self._lock = threading.Lock()
        self._trouble = ""

    def __call__(
        self, data: bytes, media_type: str, label: Label, files: Mapping[Sha256, bytes], looks: str = ""
    ) -> bytes:
        """The file, signed; as it is where that cannot be. `looks` is its ISCC image code, empty for none."""
        if label.work is None:
            return data
        try:
            deed, ingredients = deed_of(label, label.work, files)
            signed = sign(data, media_type, replace(deed, soft_binding=looks or None), ingredients, self._signer)
        except (BadDeed, CannotSign) as error:
            self._say("a file is not signed", str(error))
        except Exception as error:
            # No label is worth less for want of credentials. The text may quote a file: its kind is enough.
            self._say("a file is not signed", type(error).__name__)
        else:
            self._say("a file is signed without a time stamp", "") if self._lacks_stamp(signed) else self._say("", "")
            return signed.data
        return data

    def opened(self, picture: Picture) -> bytes:
        """What a person sent, signed as opened from the file that it came as: so that file's credentials go along with
        what is made of it, though it was cleaned of everything else. They are screened as all that goes along, and
        empty is given where they do not hold, or are too large."""
        original, media_type = picture.original, media_type_of(picture.original)
        if media_type is None or is_endless(original):
            return b""
        deed = Deed(work_id_of(secrets.token_hex(16)), (Step(Verb.OPENED, ingredients=("parent",)),))
        parent = Ingredient("parent", "Source picture", media_type, original, Relation.PARENT)

        def work() -> Signed:
            # Whoever sent it waits: no authority is asked. What is made of it is stamped, and holds this file's hash.
            return sign(picture.data, picture.media_type, deed, [parent], self._signer, stamp=False)

        try:
            # A stranger's file: it may take as long as it likes, but not our time.
            signed = within(OPENING_S, work)
        except (BadDeed, CannotSign) as error:
            self._say("credentials of a picture are not kept", str(error))
        except Exception as error:
            self._say("credentials of a picture are not kept", type(error).__name__)
        else:
            if not signed.left_out and len(manifest_store(signed.data)) <= MAX_KEPT_BYTES:
                return signed.data
        return b""

    def _lacks_stamp(self, signed: Signed) -> bool:
        return self._stamps and not signed.timestamped

    def _say(self, trouble: str, why: str) -> None:
        """Once, until something else is wrong or nothing."""
        with self._lock:
            is_new, self._trouble = f"{trouble} {why}" != self._trouble, f"{trouble} {why}"
        if is_new and trouble:
            log.warning(trouble, why=why or "the time-stamp authority does not answer")


def deed_of(label: Label, work: Work, files: Mapping[Sha256, bytes]) -> tuple[Deed, Sequence[Ingredient]]:
    """What was done and with what, as far as it is still there. What was edited is named even where it is gone."""
    parent, others = _ingredients(label, work, files)
    rest = tuple(each.label for each in others)
    term = _TERMS[label.provenance]
    names = [_plain(each) for each in work.models or label.engines[-1:]] if label.edited_by_ai else []
    first, *later = [name for name in names if name] or [""]
    shown, placed = (rest, ()) if label.edited_by_ai else ((), rest)
    if parent is None:
        steps = [Step(Verb.CREATED, term, first or None, shown)]
    else:
        steps = [Step(Verb.OPENED, ingredients=(parent.label,)), Step(Verb.EDITED, term, first or None, shown)]
    steps += [Step(Verb.EDITED, term, agent) for agent in later]
    steps += [Step(Verb.PLACED, ingredients=(each,)) for each in placed]
    deed = Deed(work.id, tuple(steps), at=datetime.fromtimestamp(work.at, UTC))
    return deed, [*([parent] if parent else []), *others]


def _ingredients(
    label: Label, work: Work, files: Mapping[Sha256, bytes]
) -> tuple[Ingredient | None, Sequence[Ingredient]]:
    """The picture that was edited, if there is one, and the others that are still there, each file once."""
    edited = next((each for each in work.ingredients if each.is_parent), None)
    parent: Ingredient | None = None
    if edited is not None:
        data = files.get(edited.file, b"")
        parent = Ingredient("parent", "Edited picture", edited.media_type, data, Relation.PARENT)
    relation = Relation.INPUT if label.edited_by_ai else Relation.PART
    rest = {each.file: each for each in work.ingredients if files.get(each.file) and not _is_same(each, edited)}
    others = [
        Ingredient(f"input{number}", "Source picture", each.media_type, files[file], relation)
        for number, (file, each) in enumerate(rest.items(), 1)
    ]
    return parent, others[:MAX_INGREDIENTS]


def _is_same(one: WentIn, other: WentIn | None) -> bool:
    return other is not None and one.file == other.file


def _plain(name: str) -> str:
    """A model's name with nothing in it but letters, figures and plain signs."""
    return _NOT_PLAIN.sub(" ", name).strip(" ._:+-")[:_MAX_AGENT_CHARS].strip()


# --- at start


def signer_as_set(certificate: str, key: str, timestamp_url: str, data: Path, *, command: str = "") -> Signer | None:
    """The signer of the settings, or of `remixbot credentials init`; None where there is none. `command` signs in place
    of a key. Raises `BadSigner`."""
    if command:
        if key or not certificate:
            raise BadSigner("CREDENTIALS_SIGNER goes with CREDENTIALS_CERTIFICATE, and in place of CREDENTIALS_KEY.")
        return signer_from_command(Path(certificate), command, anchors=own_anchors(data), timestamp_url=timestamp_url)
    chosen = chosen_files(certificate, key, data)
    if chosen is None:
        return None
    return signer_from_files(*chosen, anchors=own_anchors(data), timestamp_url=timestamp_url)


def finish_as_set(certificate: str, key: str, timestamp_url: str, data: Path, *, command: str = "") -> Finish | None:
    """What signs from now on. One that cannot sign is said in the log, and all else works."""
    try:
        signer = signer_as_set(certificate, key, timestamp_url, data, command=command)
    except BadSigner as error:
        log.warning("nothing is signed", why=str(error))
        return None
    if signer is None:
        return None
    if is_soon_over(signer):
        log.warning("the signing certificate expires soon", day=f"{signer.expires_at:%Y-%m-%d}")
    return Finish(signer, stamps=bool(timestamp_url))


def is_soon_over(signer: Signer) -> bool:
    return (signer.expires_at - datetime.now(UTC)).days < EXPIRES_SOON_DAYS


def told_of(signer: Signer, *, for_development: bool) -> tuple[bool, str]:
    """What doctor says of a signer that works, and whether all is well. Asks its authority, which takes seconds where
    that is silent."""
    lines = [f"signed by “{signer.identity.name}” until {signer.expires_at:%Y-%m-%d}"]
    if is_soon_over(signer):
        lines.append("which is soon: get a new certificate")
    if for_development:
        lines.append("a chain of your own, for development: others read “unknown signer”")
    stamps = signer.stamps()
    lines.append(_STAMPS_WORDS[stamps])
    return stamps is not False and not is_soon_over(signer), "; ".join(lines)


_STAMPS_WORDS = {
    True: "the time-stamp authority answers",
    False: "the time-stamp authority does not answer: files are signed without, and expire with the certificate",
    None: "no time stamps: what is signed expires with the certificate (CREDENTIALS_TIMESTAMP_URL)",
}
