"""Every key that this folder writes, in one place.

`{…}` is the hash tag: keys that share one lie in the same slot of a cluster. A thread's records share a slot;
admission lies in one slot by design.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from bot.domain.refs import ChatRef, MessageRef, ServerRef, Sha256, ThreadId, TurnId, UserRef

WITHOUT_EXPIRY = (
    "rb:inbox",  # messages that are not dealt with yet: emptied as they are
    "rb:{adm}:ring",  # empties by itself
    "rb:{adm}:ready:*",
    "rb:{adm}:admitted",
    "rb:{adm}:under_way",
    "rb:{adm}:slots",
    "rb:{adm}:weights",  # set by the operator
    "rb:{adm}:open",
    "rb:switches",  # what the operator turned off
    "rb:tide",  # how high the store stands: by this one that forgets is found out
    "rb:forgetting",  # who is being forgotten: emptied as it is done
    "rb:{who}:rules",  # the door, the operators, who is kept out: for as long as they are
    "rb:{who}:allowed",  # who is let in: the same
    "rb:forgotten",  # who was forgotten, and when: must outlive everything that it erases
    "rb:consent:*",  # what people said of their own pictures: a "never" must not lapse because nobody came by
    "rb:queue:*",  # the queue engine's own stream and group
    "{rb:queue}:*",  # the same, in a cluster
    "rb:{prints}:*",  # fingerprints: many turns' rows in one key, each row swept when its turn's record is gone
)
"""Keys that have no expiry, and why that is right. A test compares this with a used server."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Key names under one prefix."""

    prefix: str = "rb"

    @property
    def admission(self) -> str:
        return f"{self.prefix}:{{adm}}"

    @property
    def arena(self) -> str:
        return f"{self.prefix}:{{arena}}"

    @property
    def prints(self) -> str:
        """What the names of all fingerprints begin with."""
        return f"{self.prefix}:{{prints}}"

    @property
    def inbox(self) -> str:
        return f"{self.prefix}:inbox"

    @property
    def switches(self) -> str:
        return f"{self.prefix}:switches"

    def who(self, what: str) -> str:
        """Who may use the installation: all of it lies in one slot."""
        return f"{self.prefix}:{{who}}:{what}"

    def invitation(self, digest: str) -> str:
        return self.who(f"invitation:{digest}")

    def tries(self, person: str) -> str:
        """How many wrong codes somebody has sent."""
        return self.who(f"tries:{person}")

    def changes(self, place: str) -> str:
        return self.who(f"changes:{place}")

    @property
    def tide(self) -> str:
        return f"{self.prefix}:tide"

    @property
    def forgotten(self) -> str:
        return f"{self.prefix}:forgotten"

    @property
    def forgetting(self) -> str:
        return f"{self.prefix}:forgetting"

    @property
    def collector(self) -> str:
        return f"{self.prefix}:collector"

    @property
    def models(self) -> str:
        return f"{self.prefix}:models"

    @property
    def retirements(self) -> str:
        return f"{self.prefix}:retirements"

    def pace(self, model: str) -> str:
        return f"{self.prefix}:pace:{quote(model, safe='')}"

    @property
    def calls(self) -> str:
        """What the names of all that is known of models' allowances begin with."""
        return f"{self.prefix}:{{models}}"

    @property
    def weights(self) -> str:
        return f"{self.admission}:weights"

    def used(self, day: str) -> str:
        return f"{self.admission}:used:{day}"

    def chat(self, chat: ChatRef) -> str:
        return f"{self.prefix}:chat:{{{chat.key}}}:settings"

    def server(self, server: ServerRef) -> str:
        return f"{self.prefix}:server:{{{server.key}}}:settings"

    def consent(self, owner: UserRef) -> str:
        return f"{self.prefix}:consent:{{{owner.key}}}"

    def owners_own(self, owner: UserRef) -> str:
        """What they withdrew, and whether they know what their choices mean."""
        return f"{self.consent(owner)}:own"

    def cast(self, chat_key: str) -> str:
        return f"{self.prefix}:cast:{{{chat_key}}}"

    def user_cast(self, user: UserRef) -> str:
        """The chats in whose cast something is theirs."""
        return f"{self.prefix}:user:{{{user.key}}}:cast"

    def taste(self, user: UserRef) -> str:
        return f"{self.prefix}:user:{{{user.key}}}:taste"

    def language(self, user: UserRef) -> str:
        return f"{self.prefix}:user:{{{user.key}}}:language"

    def latest(self, chat: ChatRef, asker: UserRef) -> str:
        return f"{self.prefix}:latest:{{{chat.key}}}:{asker.key}"

    def turn(self, turn: TurnId) -> str:
        thread, _, own = turn.partition("-")
        return f"{self.prefix}:{{{thread}}}:turn:{own}"

    def thread(self, thread: ThreadId) -> str:
        return f"{self.prefix}:{{{thread}}}:turns"

    def shares(self, turn: TurnId) -> str:
        thread, _, own = turn.partition("-")
        return f"{self.prefix}:{{{thread}}}:shares:{own}"

    def share(self, digest: str) -> str:
        return f"{self.prefix}:share:{digest}"

    def message(self, ref: MessageRef) -> str:
        return self.message_key(ref.key)

    def message_key(self, ref_key: str) -> str:
        return f"{self.prefix}:message:{ref_key}"

    def image(self, sha256: Sha256) -> str:
        return f"{self.prefix}:image:{{{sha256}}}"

    def image_holders(self, sha256: Sha256) -> str:
        return f"{self.image(sha256)}:holders"

    def image_renditions(self, sha256: Sha256) -> str:
        return f"{self.image(sha256)}:renditions"

    def image_going(self, sha256: Sha256) -> str:
        return f"{self.image(sha256)}:going"

    def user_turns(self, user: UserRef) -> str:
        return f"{self.prefix}:user:{{{user.key}}}:turns"

    def user_messages(self, user: UserRef) -> str:
        return f"{self.prefix}:user:{{{user.key}}}:messages"

    def user_named(self, user: UserRef) -> str:
        """Others' messages that have something of theirs."""
        return f"{self.prefix}:user:{{{user.key}}}:named"

    def user_recipes(self, user: UserRef) -> str:
        """Recipes with words of theirs."""
        return f"{self.prefix}:user:{{{user.key}}}:recipes"

    def recipes(self, chat: ChatRef) -> str:
        return self.recipes_key(chat.key)

    def recipes_key(self, chat_key: str) -> str:
        return f"{self.prefix}:chat:{{{chat_key}}}:recipes"

    # --- what operators see

    def sight(self, *parts: str) -> str:
        """Figures of processes. All in one slot, and none lives longer than minutes."""
        return ":".join([f"{self.prefix}:{{sight}}", *(quote(part, safe="-_.~") for part in parts)])

    # --- Discord's own memory

    def discord(self, what: str, *parts: str) -> str:
        """`parts` may hold any character."""
        return ":".join([self.prefix, "discord", what, *(quote(part, safe="-_.~:%") for part in parts)])

    def discord_account(self, account: str, what: str) -> str:
        """What belongs to a bot as a whole."""
        return f"{self.prefix}:discord:{{{account}}}:{what}"

    def discord_marks(self, account: str) -> str:
        return self.discord_account(account, "marks")

    def discord_interaction(self, message: MessageRef) -> str:
        return f"{self.prefix}:discord:interaction:{{{message.key}}}"

    def discord_closed(self, chat: ChatRef) -> str:
        return f"{self.prefix}:discord:closed:{{{chat.key}}}"

    # --- Telegram's own memory

    def telegram(self, what: str, *parts: str) -> str:
        """`parts` may hold any character."""
        return ":".join([self.prefix, "telegram", what, *(quote(part, safe="-_.~:%") for part in parts)])

    def telegram_file(self, sha256: Sha256) -> str:
        """What Telegram has of these pixels. It goes with them."""
        return self.telegram("file", sha256)

    def telegram_account(self, account: str, what: str) -> str:
        """What belongs to a bot as a whole: its inbox, and the albums that are to be looked at."""
        return f"{self.prefix}:telegram:{{{quote(account, safe='-_.~')}}}:{what}"

    def telegram_lane(self, lane: str) -> str:
        """All lanes lie in one slot: a place is taken in several of them at once."""
        return f"{self.prefix}:telegram:{{pace}}:{quote(lane, safe='-_.~')}"

    def telegram_albums(self, chat: ChatRef) -> str:
        """What the names of its albums begin with."""
        return f"{self.prefix}:telegram:album:{{{chat.key}}}:"

    def telegram_album(self, chat: ChatRef, group: str) -> str:
        return f"{self.telegram_albums(chat)}{quote(group, safe='-_.~')}"

    def telegram_album_of(self, chat: ChatRef, message: int) -> str:
        return f"{self.prefix}:telegram:album-of:{{{chat.key}}}:{message}"
