"""What pressing a key does. Each press is answered once and soon; what it works on is the message that it stands under.

All that is needed stands in the key or in the store, so that a key works at any age and after a restart. What asks for
a picture becomes an `InboundMessage` named after the press: a repeat is the same turn.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final, assert_never

import structlog
from telegram import CallbackQuery

from adapters.telegram.access import Access
from adapters.telegram.answering import PATIENCE_S, Answering, Pressed, bears, label_in, pressed_of
from adapters.telegram.errors import OutcomeUnknown, Rejected
from adapters.telegram.files import ALREADY, Files
from adapters.telegram.inbound import attachments_of, turn_in
from adapters.telegram.ports import Key, Keyboard, Me, Orphans, Resending, Telegram, TelegramStore
from adapters.telegram.refs import is_group, press_ref, user_ref
from adapters.telegram.render import ON_ITS_WAY, full_keyboard, keyboard
from adapters.telegram.saying import Saying
from adapters.telegram.settings import Settings
from bot.domain.access import ACTS_OF_ONES_OWN
from bot.domain.arena import ONLY_WHO_ASKED, vote_of
from bot.domain.buttons import ButtonId, Verb, press_of, say_of
from bot.domain.errors import ChatClosed, KeptOut, RemixError
from bot.domain.language import N_, speaking, spoken, tr
from bot.domain.messages import Answer, InboundMessage, Quoted
from bot.domain.refs import MessageRef, TurnId, UserRef
from bot.domain.words import (
    BROKEN,
    DELETED,
    NOT_FOR_YOU,
    NOT_YOUR_BUTTON,
    NOT_YOURS_TO_DELETE,
    NOTHING_THERE,
    TOO_LATE,
    UNKNOWN_PRESS,
)
from bot.ports import Clock, MessageStore, Rooms
from bot.recent import Recent

_log = structlog.get_logger("telegram")

TOO_OLD: Final = N_("That message is too old for its buttons. Reply to it with what you want, and I go on from there.")
# TRANSLATORS: an answer to a press, at most 200 characters
CANNOT_POST: Final = N_("I can't post here at the moment. Perhaps my rights in this group have changed.")
LEFT_OVER: Final = N_("That message was left over. Your answer stands in another one.")
KEPT: Final = N_("Nothing of yours was erased.")

# TRANSLATORS: a key, at most 24 characters: the picture is deleted for all who see it
DELETE_LABEL: Final = N_("Delete for everybody")
# TRANSLATORS: a key, at most 24 characters: the picture is not deleted
KEEP_LABEL: Final = N_("Keep")
_YES, _KEEP = "yes", "keep"
_AT_ONCE_S = 30
_VOTED_S = 24 * 3600
"""So long Telegram keeps a press that was not acknowledged."""

Whole = Callable[[MessageRef], Awaitable[InboundMessage | None]]
"""The message that an album is by now, whole, by its anchor. None where nothing is known of it any more."""


class Presses:
    """All of one bot account's. `whole` gives an album as it stands now."""

    def __init__(
        self,
        rooms: Rooms,
        telegram: Telegram,
        store: TelegramStore,
        messages: MessageStore,
        *,
        me: Me,
        saying: Saying,
        access: Access,
        files: Files,
        settings: Settings,
        orphans: Orphans,
        resending: Resending,
        whole: Whole,
        now: Clock = time.time,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._rooms = rooms
        self._telegram = telegram
        self._store = store
        self._messages = messages
        self._me = me
        self._saying = saying
        self._access = access
        self._files = files
        self._settings = settings
        self._orphans = orphans
        self._resending = resending
        self._whole = whole
        self._now = now
        self._patience_s = patience_s
        self._answered: Recent[str, Answering] = Recent(1024)

    async def take(self, query: CallbackQuery) -> None:
        """Raises what may be gone later: then it is to be taken once more, which is harmless."""
        pressed = pressed_of(query, self._me)
        under = pressed.under if pressed is not None else None
        # Taken once more, it was answered already.
        answering = self._answered.get(query.id)
        if answering is None:
            answering = Answering(self._telegram, self._saying, query.id, under, patience_s=self._patience_s)
            self._answered[query.id] = answering
        async with answering:
            if pressed is None:
                await answering.say(tr(UNKNOWN_PRESS))
                return
            await self._safely(pressed, answering)

    async def _safely(self, pressed: Pressed, answering: Answering) -> None:
        """What is certain not to work is said in words, and ends here."""
        try:
            if await self._is_lost(pressed):
                await answering.say(tr(TOO_OLD))
                return
            if pressed.button.verb is not Verb.FORGET:  # nothing is to be learnt of who is being forgotten
                await self._rooms.speaks(pressed.user, pressed.language)
            await self._press(pressed, answering)
        except KeptOut as error:
            await _say_at_last(answering, error.words)
        except ChatClosed:
            answering.acknowledge(tr(CANNOT_POST), alert=True)
        except RemixError as error:
            await _say_at_last(answering, error.words)
        except OutcomeUnknown as error:
            _log.warning("telegram.press_outcome_unknown", verb=pressed.button.verb.value, error=type(error).__name__)
        except Rejected as error:
            _log.warning("telegram.press_rejected", verb=pressed.button.verb.value, said=error.description)
            await _say_at_last(answering, tr(BROKEN))

    async def _is_lost(self, pressed: Pressed) -> bool:
        """Whether it stands in a topic that nobody names, and can't be found without."""
        needs_it = pressed.button.verb not in (Verb.SETTINGS, Verb.FORGET)
        return pressed.is_vague and needs_it and await self._messages.find(pressed.under) is None

    async def _press(self, pressed: Pressed, answering: Answering) -> None:
        match pressed.button.verb:
            case Verb.PRESS | Verb.SAY | Verb.WHOLE | Verb.FILE | Verb.INFO | Verb.MORE | Verb.REST | Verb.VOTE:
                words = "" if _is_of_ones_own(pressed) else await self._access.denied(pressed.chat, pressed.user)
                await (answering.say(words) if words else self._use(pressed, answering))
            case Verb.CANCEL:
                await self._cancel(pressed, answering)
            case Verb.ALLOW:
                await self._allow(pressed, answering)
            case Verb.DELETE:
                await self._delete(pressed, answering)
            case Verb.SETTINGS:
                # Only what shows settings is drawn anew.
                shows = pressed.message is None or bears(pressed.message, Verb.SETTINGS)
                await (self._settings.press(pressed, answering) if shows else answering.say(tr(UNKNOWN_PRESS)))
            case Verb.FORGET:
                await self._forget(pressed, answering)
            case Verb.EDIT:
                await answering.say(tr(UNKNOWN_PRESS))
            case _:
                assert_never(pressed.button.verb)

    async def _use(self, pressed: Pressed, answering: Answering) -> None:
        """What is only for those who may use the bot here."""
        match pressed.button.verb:
            case Verb.WHOLE:
                await self._redo(pressed, answering)
            case Verb.FILE:
                await self._files.press(pressed, answering)
            case Verb.INFO:
                await answering.say(await self._rooms.info(pressed.under, by=pressed.user, index=pressed.button.place))
            case Verb.VOTE:
                await self._vote(pressed, answering)
            case Verb.MORE:
                await self._more(pressed, answering)
            case Verb.REST:
                await self._send_again(pressed, answering)
            case _:
                await self._ask(pressed, answering)

    # --- what asks for a picture

    async def _ask(self, pressed: Pressed, answering: Answering) -> None:
        label = pressed.label or await self._label(pressed)
        press = press_of(pressed.button.argument) if pressed.button.verb is Verb.PRESS else None
        if press is None and (pressed.button.verb is Verb.PRESS or not label):
            await answering.say(tr(TOO_OLD) if pressed.message is None else tr(UNKNOWN_PRESS))
            return
        answering.hasten()
        await self._rooms.receive(
            InboundMessage(
                ref=press_ref(pressed.chat, pressed.id),
                author=pressed.user,
                author_name=pressed.name,
                text=label,
                created_at=self._now(),
                reply_to=pressed.under,
                reply_index=pressed.button.place,
                press=press,
                server=pressed.server,
                quoted=self._quoted(pressed),
                around=pressed.around,
                language=pressed.language,
            )
        )

    def _quoted(self, pressed: Pressed) -> Quoted | None:
        """A picture of ours that shows no result: the one to try things on."""
        pictures = () if pressed.message is None else attachments_of(pressed.message, self._me)
        return Quoted(pressed.under, None, pictures, ours=True) if pictures else None

    async def _label(self, pressed: Pressed) -> str:
        """What must stand on the key, where Telegram does not show it any more."""
        answer = await self._answer(pressed.under)
        if answer is None:
            return ""
        with _in_its_language(answer):
            return label_in(full_keyboard(answer), pressed.data)

    async def _redo(self, pressed: Pressed, answering: Answering) -> None:
        anchor = pressed.button.argument
        message = await self._whole(MessageRef(pressed.chat, anchor)) if anchor.isdigit() else None
        if message is None:
            await answering.say(tr(NOTHING_THERE))
            return
        if message.author not in await self._selves(pressed):
            await answering.say(tr(NOT_YOUR_BUTTON))
            return
        answering.hasten()
        # Named after the message that offers it: however often it is pressed, it is done once. And after the album, so
        # that nobody takes the name of somebody else's.
        named = press_ref(pressed.chat, f"whole{anchor}.{pressed.under.message}")
        await self._rooms.receive(replace(message, ref=named, language=pressed.language or message.language))

    async def _answer(self, message: MessageRef) -> Answer | None:
        record = await self._messages.find(message)
        return await self._rooms.answer_of(record.shows[0].turn) if record is not None and record.shows else None

    # --- what people decide about a turn

    async def _selves(self, pressed: Pressed) -> tuple[UserRef, ...]:
        """Who presses is always a person. Whoever runs the group may be the one who wrote as the group itself."""
        group = user_ref(int(pressed.group.chat))
        runs = is_group(pressed.chat) and await self._access.runs(pressed.chat, pressed.user)
        return (pressed.user, group) if runs else (pressed.user,)

    async def _cancel(self, pressed: Pressed, answering: Answering) -> None:
        turn = TurnId(pressed.button.argument)
        if await self._rooms.cancel(turn, chat=pressed.chat, by=pressed.user):
            answering.acknowledge()
        elif not await self._cancel_as_group(pressed, turn):
            await answering.say(tr(LEFT_OVER) if await self._is_orphan(pressed, turn) else tr(TOO_LATE))
        await self._tidy(pressed, turn)

    async def _cancel_as_group(self, pressed: Pressed, turn: TurnId) -> bool:
        others = (await self._selves(pressed))[1:]
        return any([await self._rooms.cancel(turn, chat=pressed.chat, by=each) for each in others])

    async def _allow(self, pressed: Pressed, answering: Answering) -> None:
        answer = say_of(pressed.button.argument)
        if answer is None:
            await answering.say(tr(UNKNOWN_PRESS))
            return
        say, turn = answer
        words = await self._rooms.allow(turn, chat=pressed.chat, by=pressed.user, say=say)
        if words == tr(NOT_FOR_YOU):
            for each in (await self._selves(pressed))[1:]:
                words = await self._rooms.allow(turn, chat=pressed.chat, by=each, say=say)
        await answering.say(words)
        await self._tidy(pressed, turn)

    async def _vote(self, pressed: Pressed, answering: Answering) -> None:
        """Who presses is always a person, and has one vote; only to end it, they may be the group itself. A press that
        comes once more must not undo what they have voted since."""
        vote = vote_of(pressed.button.argument)
        if vote is None:
            await answering.say(tr(UNKNOWN_PRESS))
            return
        choice, turn = vote
        name = f"vote:{pressed.id}"
        if await self._store.was(name):
            return
        words = await self._rooms.vote(turn, chat=pressed.chat, by=pressed.user, choice=choice)
        if words == tr(ONLY_WHO_ASKED):
            for each in (await self._selves(pressed))[1:]:
                words = await self._rooms.vote(turn, chat=pressed.chat, by=each, choice=choice)
        await self._store.once(name, life_s=_VOTED_S)
        await answering.say(words)

    async def _is_orphan(self, pressed: Pressed, turn: TurnId) -> bool:
        """Whether nobody has noted that it is a reply. What a press carries may be made up: only the keys that Telegram
        shows are ours."""
        names = turn_in(pressed.message) if pressed.message is not None else None
        return names == turn and await self._messages.find(pressed.under) is None

    async def _tidy(self, pressed: Pressed, turn: TurnId) -> None:
        """The message may have been left by a crash."""
        if await self._is_orphan(pressed, turn):
            await self._orphans.found(pressed.under, turn)

    # --- the result itself

    async def _more(self, pressed: Pressed, answering: Answering) -> None:
        answer = await self._answer(pressed.under)
        if answer is None:
            await answering.say(tr(NOTHING_THERE))
            return
        answering.acknowledge()
        with _in_its_language(answer):
            keys = full_keyboard(answer)
        await self._telegram.change_keyboard(pressed.under, keys)

    async def _send_again(self, pressed: Pressed, answering: Answering) -> None:
        """Knowingly, but not twice at once."""
        answer, name = await self._answer(pressed.under), f"rest:{pressed.under.key}"
        if answer is None:
            await answering.say(tr(NOTHING_THERE))
            return
        if await self._store.once(name, life_s=_AT_ONCE_S):
            await self._store.note(name, pressed.id)
        elif await self._store.noted(name) != pressed.id:
            answering.acknowledge(tr(ALREADY))
            return
        answering.acknowledge(tr(ON_ITS_WAY))
        with _in_its_language(answer):
            await self._resending.send_again(pressed.under, answer)

    async def _delete(self, pressed: Pressed, answering: Answering) -> None:
        """Whoever may not is not asked, and changes nothing of what others are asked."""
        moderates = is_group(pressed.chat) and await self._access.runs(pressed.chat, pressed.user)
        if pressed.button.argument == _YES:
            await self._delete_now(pressed, answering, moderates=moderates)
            return
        answer = await self._answer(pressed.under)
        if answer is None:
            await answering.say(tr(NOTHING_THERE))
        elif not (moderates or _is_by(answer, pressed)):
            await answering.say(tr(NOT_YOURS_TO_DELETE))
        else:
            answering.acknowledge()
            place = pressed.button.place
            yes = Key(tr(DELETE_LABEL), str(ButtonId(Verb.DELETE, place, _YES)))
            keep = Key(tr(KEEP_LABEL), str(ButtonId(Verb.DELETE, place, _KEEP)))
            keys = _keys_of(answer) if pressed.button.argument == _KEEP else ((yes, keep),)
            await self._telegram.change_keyboard(pressed.under, keys)

    async def _delete_now(self, pressed: Pressed, answering: Answering, *, moderates: bool) -> None:
        words = await self._rooms.delete(pressed.under, by=pressed.user, moderates=moderates)
        if not words:
            answering.acknowledge(tr(DELETED))
            return
        await answering.say(words)
        answer = None if words == tr(NOT_YOURS_TO_DELETE) else await self._answer(pressed.under)
        if answer is not None:
            await self._telegram.change_keyboard(pressed.under, _keys_of(answer))

    # --- oneself

    async def _forget(self, pressed: Pressed, answering: Answering) -> None:
        user, _, keep = pressed.button.argument.partition(".")
        if user != pressed.user.user:
            await answering.say(tr(NOT_YOUR_BUTTON))
            return
        if pressed.message is not None:
            answering.acknowledge()
            if not pressed.label:  # made up, or pressed twice
                return
        words = tr(KEPT) if keep else await self._rooms.forget(pressed.user)
        await self._tell_forgotten(pressed, answering, words)

    async def _tell_forgotten(self, pressed: Pressed, answering: Answering, words: str) -> None:
        """In place of the question, where it is certain that it is the one."""
        if pressed.message is None:
            await answering.say(words)
        else:
            await self._telegram.change(pressed.under, words)


async def _say_at_last(answering: Answering, words: str) -> None:
    """Nothing is left to be tried where it can't be said."""
    with contextlib.suppress(ChatClosed, Rejected):
        await answering.say(words)


def _is_of_ones_own(pressed: Pressed) -> bool:
    """By it people decide about what is theirs, wherever they are kept out."""
    press = press_of(pressed.button.argument) if pressed.button.verb is Verb.PRESS else None
    return press is not None and press.act in ACTS_OF_ONES_OWN


def _in_its_language(answer: Answer) -> AbstractContextManager[None]:
    """What stands in a message is for all who read there, in the language of whoever asked: not of whoever presses."""
    return speaking(answer.language, spoken())


def _keys_of(answer: Answer) -> Keyboard:
    with _in_its_language(answer):
        return keyboard(answer)


def _is_by(answer: Answer, pressed: Pressed) -> bool:
    """Whether it was asked for by who presses now. An answer in words names nobody: it is theirs in private alone."""
    if answer.credit is None:
        return not is_group(pressed.chat)
    return answer.credit.asker.user == pressed.user
