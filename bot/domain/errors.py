"""Everything that can go wrong with a turn, as one tree. Each class knows what happens next.

    RemixError                      words: a short, kind sentence for the person who asked
    ├── BadPicture                  the file that was sent cannot be used
    ├── BadRequest                  the words or the reply cannot be used
    │   └── NotUnderstood           no engine can do this: names the part, shows what would work
    ├── NotAllowed                  somebody's say, a cap or a switch stands in the way
    ├── ChatClosed                  nothing can be posted in the chat for now
    │   └── ChatGone                nor ever again
    │       └── KeptOut             whoever runs this bot does not let that person or chat in
    └── EngineFailed                the engine gave no image
        ├── EngineRefused           it will not do this; never charged to the person's quota
        │   └── SwitchedOff         the operator turned it off
        ├── ModelGone               the model was retired: another one may do it
        ├── EngineGaveNothing       it answered without an image and without words
        └── EngineUnavailable       overloaded, unreachable, timed out

`retryable` says that the same may work later: the turn then failed, and was not refused. `code` is stable and
machine-readable; `words` are said in the chat.
"""

from __future__ import annotations

from typing import ClassVar


class RemixError(Exception):
    """Root of the tree. `words` is what the person reads."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class BadPicture(RemixError):
    """The file that was sent cannot be used: not an image, broken, too large, of a kind that we do not read."""

    code = "bad_picture"


class BadRequest(RemixError):
    """The message cannot become a turn: no words, no picture, far too long."""

    code = "bad_request"


class NotUnderstood(BadRequest):
    """No engine at hand can do what is asked. `part` is what was not understood, `suggestions` what would work."""

    code = "not_understood"

    def __init__(self, words: str, *, part: str = "", suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.part = part
        self.suggestions = suggestions


class NotAllowed(RemixError):
    """Consent, a spend cap or the off switch stands in the way."""

    code = "not_allowed"


class ChatClosed(RemixError):
    """Nothing can be posted there for now: a permission is missing. It is raised without asking the platform again and
    again, so that trying once more costs nothing."""

    code = "chat_closed"
    retryable = True


class ChatGone(ChatClosed):
    """The chat, or the message that was to be filled, is not there any more. There is nothing left to say it to."""

    code = "chat_gone"
    retryable = False


class KeptOut(ChatGone):
    """Whoever runs this bot does not let them in. Nothing was noted or posted; a door that can say it to that person
    alone, or once a day, says `words`."""

    code = "kept_out"


class EngineFailed(RemixError):
    """The engine gave no image. `cost_microusd` is what the attempts cost all the same (0 when unknown), `calls` how
    many there were."""

    code = "engine_failed"

    def __init__(self, words: str, *, cost_microusd: int = 0) -> None:
        super().__init__(words)
        self.cost_microusd = cost_microusd
        self.calls = 0


class EngineRefused(EngineFailed):
    """The engine will not do this: a policy of its maker."""

    code = "refused"


class SwitchedOff(EngineRefused):
    """The operator turned the engine off."""

    code = "switched_off"


class ModelGone(EngineFailed):
    """The model is not there any more. Nothing was charged; another model may do it."""

    code = "model_gone"


class EngineGaveNothing(EngineFailed):
    """An answer with neither image nor words."""

    code = "nothing"


class EngineUnavailable(EngineFailed):
    """Overloaded, unreachable or too slow.

    `maybe_billed` where the connection broke or timed out after the request left: the work may have been done and
    charged. `retry_after_s` where the service said how long to wait.
    """

    code = "unavailable"
    retryable = True

    def __init__(
        self,
        words: str,
        *,
        maybe_billed: bool = False,
        retry_after_s: float | None = None,
        cost_microusd: int = 0,
    ) -> None:
        super().__init__(words, cost_microusd=cost_microusd)
        self.maybe_billed = maybe_billed
        self.retry_after_s = retry_after_s
