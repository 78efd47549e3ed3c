"""What is known of where a picture comes from, layer by layer, and how it is said. Pure.

Nothing here ever says that a picture shows what happened: the strongest that can be known is who made a file, and that
nobody changed it since. Each line names its evidence and how strong that is; what is not known is said as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from bot.domain.digital_source import AI_EDITED, AI_GENERATED, ENHANCED, provenance_of
from bot.domain.images import Provenance
from bot.domain.labels import Label, label_line
from bot.domain.language import N_, ngettext, pgettext, quoted, tr
from bot.domain.refs import TurnId
from bot.domain.words import joined

ASKS_FOR_PICTURE: Final = N_("Reply to a picture with /verify, or send one along, and I say what is known of it.")
TOO_OFTEN: Final = N_("You have asked me very often. Please try again in a minute.")
NAME_CHARS: Final = 80
"""Of anything that a file names."""


class Seal(StrEnum):
    """How a file's credentials (C2PA) stand."""

    OURS = "ours"
    """Intact, and signed with a key that only this bot has."""
    KNOWN = "known"
    """Intact, and issued by an authority that this bot trusts."""
    INTACT = "intact"
    """Intact; nobody here knows the signer."""
    EXPIRED = "expired"
    """Intact; the certificate has run out, and nobody stamped the time."""
    ALTERED = "altered"
    """The picture, or the credentials, were changed after signing."""
    BROKEN = "broken"
    """They break the rules, or were taken back."""
    REMOTE = "remote"
    """The file only names an address for them. Nobody asks there."""
    UNREADABLE = "unreadable"


INTACT: Final = frozenset({Seal.OURS, Seal.KNOWN, Seal.INTACT, Seal.EXPIRED})


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the credentials in a file say. Names are the signer's word, cut and cleaned.

    `own_name`: it is signed under the name that this bot signs under. `signed_at` is a time-stamp authority's word.
    `provenance` is what its own actions say of AI, `earlier` what those of the pictures say that went into it, by
    `agents`. `synthid` is the signer by whose word Google's invisible mark is in it. `sources` went into it, of which
    `sources_altered` had been changed after they were signed; `cut`: there is more than was read. `made_at` is the
    signer's word.
    """

    seal: Seal
    signer: str = ""
    own_name: bool = False
    signed_at: datetime | None = None
    made_at: datetime | None = None
    tool: str = ""
    agents: tuple[str, ...] = ()
    provenance: Provenance = Provenance.UNKNOWN
    earlier: Provenance = Provenance.UNKNOWN
    sources: int = 0
    sources_altered: int = 0
    cut: bool = False
    synthid: str = ""


class Aigc(StrEnum):
    """What China's implicit label says (GB 45438-2025, annex E), by its figure."""

    IS = "1"
    MAY_BE = "2"
    SUSPECTED = "3"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What stands in a file unsigned: anybody can write it, and anybody can take it out.

    `terms` are the IPTC's for its source, `systems` the AI systems that it names, `tools` those whose marks it has.
    `remembered` is what it said of AI when it came in, where it was cleaned then.
    """

    terms: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    aigc: Aigc | None = None
    aigc_by: str = ""
    tools: tuple[str, ...] = ()
    remembered: Provenance = Provenance.UNKNOWN

    @property
    def says_ai(self) -> bool:
        by_term = provenance_of(self.terms) is not Provenance.UNKNOWN
        return by_term or self.remembered is not Provenance.UNKNOWN or bool(self.systems or self.aigc or self.tools)


class Gone(StrEnum):
    """Why a file says less than it may have said."""

    BY_PLATFORM = "by_platform"
    """The platform sends photos on without their metadata."""
    BY_US = "by_us"
    """It was cleaned when it came in, as all that people send."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a file says of itself. `unread` where it is of a kind in which only a part of that can be looked for;
    `slow` where looking took too long. `pixels` as the head states them, 0 where it does not."""

    media_type: str = ""
    pixels: int = 0
    credentials: Credentials | None = None
    metadata: Metadata = field(default_factory=Metadata)
    unread: bool = False
    gone: Gone | None = None
    slow: bool = False


class Likeness(StrEnum):
    """How much a picture looks like one that this bot made."""

    MATCH = "match"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Match:
    """What its fingerprint says. `turn` where it is clear which of ours. Of what people sent it never tells."""

    likeness: Likeness
    turn: TurnId | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A result of ours, as far as whoever asks may hear of it. `at` in seconds since the epoch; `credit` only in its
    own chat. `hides` while people vote which of two it is."""

    label: Label | None = None
    at: float = 0.0
    model: str = ""
    credit: str = ""
    hides: bool = False
    here: bool = False
    """Asked about in its own chat."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that was found of one picture. `stands_here` where the message that was asked about is this bot's own."""

    findings: Findings | None = None
    stands_here: bool = False
    record: Made | None = None
    match: Match | None = None
    """None where no fingerprints are kept."""
    matched: Made | None = None


class Verdict(StrEnum):
    """All of it in one word, the strongest first."""

    OURS_PROVEN = "ours_proven"
    OURS_LIKELY = "ours_likely"
    OURS_POSSIBLE = "ours_possible"
    ALTERED = "altered"
    SAYS_AI = "says_ai"
    SIGNED = "signed"
    NOTHING = "nothing"


class Layer(StrEnum):
    RECORD = "record"
    CREDENTIALS = "credentials"
    METADATA = "metadata"
    LOOKS = "looks"
    LIMITS = "limits"


class Strength(StrEnum):
    PROOF = "proof"
    STRONG = "strong"
    POSSIBLE = "possible"
    CLAIM = "claim"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of evidence. `code` is stable."""

    layer: Layer
    strength: Strength
    code: str
    evidence: str

    @property
    def words(self) -> str:
        return tr(_STRENGTHS[self.strength]).format(evidence=self.evidence)


@dataclass(frozen=True, slots=True)
class Report:
    """What is said of one picture, in the language that was spoken when it was made."""

    verdict: Verdict
    headline: str
    lines: tuple[Line, ...]

    @property
    def words(self) -> str:
        return "\n".join((self.headline, *(f"• {line.words}" for line in self.lines)))

    @property
    def as_dict(self) -> dict[str, object]:
        """For programs."""
        lines = [
            {"layer": each.layer.value, "strength": each.strength.value, "code": each.code, "words": each.evidence}
            for each in self.lines
        ]
        return {"verdict": self.verdict.value, "words": self.headline, "lines": lines}


_STRENGTHS: Final = {
    # TRANSLATORS: before a piece of evidence: how strong it is
    Strength.PROOF: N_("Proof: {evidence}"),
    # TRANSLATORS: before a piece of evidence: how strong it is
    Strength.STRONG: N_("Strong sign: {evidence}"),
    # TRANSLATORS: before a piece of evidence: how strong it is
    Strength.POSSIBLE: N_("Weak sign: {evidence}"),
    # TRANSLATORS: before a piece of evidence: how strong it is. Anybody could have written it.
    Strength.CLAIM: N_("Only a claim: {evidence}"),
    # TRANSLATORS: before what could not be found out
    Strength.UNKNOWN: N_("Not known: {evidence}"),
}
_HEADLINES: Final = {
    Verdict.OURS_PROVEN: N_("I made this picture."),
    Verdict.OURS_LIKELY: N_("I very likely made this picture."),
    Verdict.OURS_POSSIBLE: N_("This looks like a picture that I made. It may be another one."),
    Verdict.ALTERED: N_("This file was changed after it was signed."),
    Verdict.SAYS_AI: N_("This file says that AI made or changed the picture. Nothing shows that it was me."),
    Verdict.SIGNED: N_("This file is signed, and says nothing of AI."),
    Verdict.NOTHING: N_("I found no marks. That does not mean that no AI was used."),
}


def report_of(known: Known) -> Report:
    """What is said of a picture."""
    verdict = verdict_of(known)
    lines = (*_of_record(known), *_of_file(known), *_of_looks(known), _limits())
    return Report(verdict, tr(_HEADLINES[verdict]), lines)


def words_of(reports: Sequence[Report], *, more: int = 0) -> str:
    """Of several pictures, what is not known is said once. `more` were not looked at."""
    if len(reports) == 1:
        return reports[0].words
    told = [
        "\n".join(
            (
                # TRANSLATORS: a heading: "Picture 2: I made this picture."
                tr("Picture {number}: {words}").format(number=number, words=report.headline),
                *(f"• {line.words}" for line in report.lines if line.strength is not Strength.UNKNOWN),
            )
        )
        for number, report in enumerate(reports, 1)
    ]
    left = ngettext("I did not look at {count} more.", "I did not look at {count} more.", more).format(count=more)
    return "\n\n".join((*told, *([left] if more else []), _limits().words))


def verdict_of(known: Known) -> Verdict:
    findings = known.findings or Findings()
    credentials, likeness = findings.credentials, known.match.likeness if known.match else Likeness.UNKNOWN
    seal = credentials.seal if credentials else None
    by_our_name = seal is Seal.KNOWN and credentials is not None and credentials.own_name
    if known.stands_here or seal is Seal.OURS:
        return Verdict.OURS_PROVEN
    if by_our_name or likeness is Likeness.MATCH:
        return Verdict.OURS_LIKELY
    if likeness is Likeness.POSSIBLE:
        return Verdict.OURS_POSSIBLE
    if seal is Seal.ALTERED:
        return Verdict.ALTERED
    if findings.metadata.says_ai or (credentials is not None and _says_ai(credentials)):
        return Verdict.SAYS_AI
    return Verdict.SIGNED if seal in INTACT else Verdict.NOTHING


def _says_ai(credentials: Credentials) -> bool:
    return Provenance.UNKNOWN is not credentials.provenance or Provenance.UNKNOWN is not credentials.earlier


# --- the lines of each layer


def _of_record(known: Known) -> Iterable[Line]:
    if known.stands_here:
        words = tr("I posted it here myself.")
        yield Line(Layer.RECORD, Strength.PROOF, "posted_here", joined(words, _about(known.record)))


def _of_looks(known: Known) -> Iterable[Line]:
    if known.stands_here:
        return
    is_signed = _is_signed_by_us(known)
    if is_signed and not _about(known.matched):
        return
    match known.match.likeness if known.match else None:
        case None:
            code, words = "no_fingerprints", tr("whether I made it, by what it looks like: no fingerprints are kept.")
            yield Line(Layer.LOOKS, Strength.UNKNOWN, code, words)
        case Likeness.MATCH:
            words = joined(tr("it looks just like a picture that I made."), _about(known.matched))
            yield Line(Layer.LOOKS, Strength.STRONG, "looks_ours", words if is_signed else joined(words, *_anew(known)))
        case Likeness.POSSIBLE:
            words = joined(tr("it looks much like a picture that I made."), _about(known.matched))
            yield Line(Layer.LOOKS, Strength.POSSIBLE, "looks_like_ours", words)
        case Likeness.UNKNOWN:
            words = tr("whether I made it, by what it looks like: nothing that I made is clearly like it.")
            yield Line(Layer.LOOKS, Strength.UNKNOWN, "looks_unknown", words)


def _anew(known: Known) -> Iterable[str]:
    """Of a file that looks like ours, and has no signature of ours."""
    yield tr("This file is not the one that I sent: it was saved anew or changed since.")
    if _is_here(known.matched):
        yield tr("My own message here still has the labelled file.")


def _is_here(made: Made | None) -> bool:
    return made is not None and made.here and not made.hides


def _is_signed_by_us(known: Known) -> bool:
    credentials = known.findings.credentials if known.findings else None
    return credentials is not None and credentials.seal is Seal.OURS


def _about(made: Made | None) -> str:
    """What may be told of a result of ours: label, model and day, and in its own chat how it came about."""
    if made is None:
        return ""
    if made.hides:
        return tr("Which model made it is told when the vote is over.")
    label = label_line(made.label) if made.label else ""
    label += f" ({made.model})" if label and made.model else ""
    day = f"{datetime.fromtimestamp(made.at, UTC):%Y-%m-%d}" if made.at else ""
    facts = pgettext("between names", ", ").join(part for part in (label, day) if part)
    sentence = pgettext("end of a sentence", "{words}.")
    return joined(*(sentence.format(words=each) for each in (facts, made.credit) if each))


def _limits() -> Line:
    words = tr(
        "what only its maker can read, such as Google's SynthID, and what left no mark. "
        "Marks can be taken out, and forged."
    )
    return Line(Layer.LIMITS, Strength.UNKNOWN, "limits", words)


def _of_file(known: Known) -> Iterable[Line]:
    findings = known.findings
    if findings is None:
        words = tr("what the file says of itself: I could not have it.")
        yield Line(Layer.METADATA, Strength.UNKNOWN, "no_file", words)
        return
    if findings.gone is not None:
        yield _gone(findings.gone)
    if findings.slow:
        words = tr("what the file says of itself: it took me too long to look through it.")
        yield Line(Layer.METADATA, Strength.UNKNOWN, "slow", words)
        return
    if findings.unread:
        words = tr("all that the file says: I can only look through PNG, JPEG and WebP files that are whole.")
        yield Line(Layer.METADATA, Strength.UNKNOWN, "unread", words)
    credentials = findings.credentials
    if credentials is not None:
        yield from _of_credentials(credentials)
    elif findings.gone is None and not findings.unread:
        words = tr("who made this file: it is not signed.")
        yield Line(Layer.CREDENTIALS, Strength.UNKNOWN, "unsigned", words)
    yield from _of_metadata(findings)


def _gone(gone: Gone) -> Line:
    if gone is Gone.BY_PLATFORM:
        words = tr(
            "what the file said of itself: photos lose that on the way here. Send it as a file; “File with "
            "credentials” under a picture of mine keeps it."
        )
    else:
        words = tr("what the file said of itself: I take that out of pictures that people send. Send it with /verify.")
    return Line(Layer.METADATA, Strength.UNKNOWN, gone.value, words)


# --- credentials


def _of_credentials(told: Credentials) -> Iterable[Line]:
    strength, words = _seal(told)
    stamp = tr("Time-stamped on {day}.").format(day=f"{told.signed_at:%Y-%m-%d}") if told.signed_at else ""
    made = tr("Made on {day}.").format(day=f"{told.made_at:%Y-%m-%d}") if told.made_at else ""
    yield Line(
        Layer.CREDENTIALS, strength, told.seal.value, joined(words, *((made, stamp) if told.seal in INTACT else ()))
    )
    if told.seal in (Seal.REMOTE, Seal.UNREADABLE):
        return
    says = {Seal.OURS: Strength.PROOF, Seal.KNOWN: Strength.STRONG}.get(told.seal, Strength.CLAIM)
    if words := _on_ai(told):
        yield Line(Layer.CREDENTIALS, says, "signed_ai", words)
    elif told.seal in INTACT:
        yield Line(Layer.CREDENTIALS, says, "signed_no_ai", tr("its credentials say nothing of AI."))
    if told.synthid and told.seal in INTACT:
        # TRANSLATORS: the name is a signer's: "“Google LLC” says that its invisible mark, SynthID, is in it …"
        words = tr("{name} says that its invisible mark (SynthID) was put into it, or into what it was made from.")
        # What a maker says of what went in, we only pass on.
        yield Line(Layer.CREDENTIALS, Strength.CLAIM, "signed_synthid", words.format(name=quoted(told.synthid)))
    if told.sources:
        words = ngettext(
            "its credentials name {count} picture that it was made from.",
            "its credentials name {count} pictures that it was made from.",
            told.sources,
        )
        yield Line(Layer.CREDENTIALS, says, "signed_sources", words.format(count=told.sources))
    if told.sources_altered:
        words = ngettext(
            "{count} picture that it was made from had been changed after signing.",
            "{count} pictures that it was made from had been changed after signing.",
            told.sources_altered,
        )
        yield Line(Layer.CREDENTIALS, Strength.STRONG, "sources_altered", words.format(count=told.sources_altered))
    if told.cut:
        words = tr("all of its credentials: there is more in them than I read.")
        yield Line(Layer.CREDENTIALS, Strength.UNKNOWN, "cut", words)


_SEALS: Final = {
    Seal.OURS: (Strength.PROOF, N_("I signed this file, and nobody changed it since.")),
    Seal.KNOWN: (Strength.STRONG, N_("it is signed by {signer}, and nobody changed it since.")),
    Seal.INTACT: (Strength.CLAIM, N_("it is signed as {signer}, whom I don't know. Nobody changed it since.")),
    Seal.EXPIRED: (
        Strength.CLAIM,
        N_("it is signed as {signer}, with a certificate that has run out. Nothing shows that it was changed since."),
    ),
    Seal.ALTERED: (
        Strength.STRONG,
        N_("it is signed as {signer}, but the picture or its credentials were changed afterwards."),
    ),
    Seal.BROKEN: (Strength.CLAIM, N_("it has credentials as {signer} that do not hold.")),
    Seal.REMOTE: (
        Strength.UNKNOWN,
        N_("its credentials: the file only names an address for them, and I don't go there."),
    ),
    Seal.UNREADABLE: (Strength.UNKNOWN, N_("its credentials: there are some, and I can't read them.")),
}
_AS_I_SIGN: Final = N_("it is signed by {signer}, as I sign, and nobody changed it since.")


def _seal(told: Credentials) -> tuple[Strength, str]:
    strength, sentence = _SEALS[told.seal]
    if told.seal is Seal.KNOWN and told.own_name:
        sentence = _AS_I_SIGN
    # TRANSLATORS: in place of the name of a signer
    signer = quoted(told.signer) if told.signer else tr("somebody without a name")
    return strength, tr(sentence).format(signer=signer)


def _on_ai(told: Credentials) -> str:
    agents = tr("It names {names}.").format(names=", ".join(map(quoted, told.agents))) if told.agents else ""
    match told.provenance:
        case Provenance.AI_GENERATED:
            return joined(tr("its credentials say that AI made it."), agents)
        case Provenance.AI_EDITED:
            return joined(tr("its credentials say that AI changed it."), agents)
        case Provenance.UNKNOWN if told.earlier is not Provenance.UNKNOWN:
            return joined(tr("its credentials say that it was made from a picture by AI."), agents)
        case Provenance.UNKNOWN:
            return ""


# --- metadata


_AIGC: Final = {
    Aigc.IS: N_("its AIGC field says that AI made it."),
    Aigc.MAY_BE: N_("its AIGC field says that AI may have made it."),
    Aigc.SUSPECTED: N_("its AIGC field says that AI is suspected to have made it."),
}
_TERMS: Final = {
    AI_GENERATED: N_("its metadata says that AI made it."),
    AI_EDITED: N_("its metadata says that AI changed it."),
    "compositeSynthetic": N_("its metadata says that parts of it were made by AI or drawn."),
    ENHANCED: N_("its metadata says that it was edited without AI."),
    "digitalCapture": N_("its metadata says that a camera took it."),
}


def _of_metadata(findings: Findings) -> Iterable[Line]:
    found = findings.metadata
    said = [(_code(term), _term(term)) for term in found.terms]
    said += [
        ("system", tr("its metadata names the AI system {name}.").format(name=quoted(each))) for each in found.systems
    ]
    if found.aigc is not None:
        by = tr("It names {names}.").format(names=quoted(found.aigc_by)) if found.aigc_by else ""
        said.append(("aigc", joined(tr(_AIGC[found.aigc]), by)))
    said += [("tool", tr("it has marks as {name} leaves them.").format(name=quoted(each))) for each in found.tools]
    if found.remembered is not Provenance.UNKNOWN:
        said.append(("source_ai", tr("its file said that AI made or changed it, when it came in.")))
    for code, words in said:
        yield Line(Layer.METADATA, Strength.CLAIM, code, words)
    if not said and findings.gone is None and not findings.unread and findings.credentials is None:
        words = tr("whether AI was used, by its metadata: that says nothing of it.")
        yield Line(Layer.METADATA, Strength.UNKNOWN, "no_metadata", words)


def _term(term: str) -> str:
    known = _TERMS.get(term)
    return tr(known) if known else tr("its metadata names {name} as its source.").format(name=quoted(term))


def _code(term: str) -> str:
    return "source_ai" if provenance_of([term]) is not Provenance.UNKNOWN else "source"
