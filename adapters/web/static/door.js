// Where whoever runs the bot does not let everybody in: why, and a field for the code of an invitation. A code is never
// a message, and never stands in an address.

import { join } from "./api.js";
import { byId, speak } from "./dom.js";

const SAID = /^\s*\/join(?:@\w+)?(?:\s+|$)/i;

export class Door {
  /** `onIn(words)` when a code has let somebody in; `onTurn` whenever it opens or closes. */
  constructor(chat, onIn, onTurn) {
    this.chat = chat;
    this.onIn = onIn;
    this.onTurn = onTurn;
    this.place = byId("door");
    this.code = byId("door-code");
    this.place.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#enter(this.code.value.replace(SAID, "").trim());
    });
  }

  get isShut() {
    return !this.place.hidden;
  }

  /** Whether these words are a code, or ask for it: then nobody else reads them. */
  takes(text) {
    if (!SAID.test(text)) return false;
    const code = text.replace(SAID, "").trim();
    this.#enter(code);
    return true;
  }

  /** Looks whether this person is let in. */
  async look() {
    const words = await this.chat.api.door().then((told) => told.kept_out, () => "");
    this.show(words);
    return words;
  }

  /** Why they are not let in; empty where they are. */
  show(words) {
    const wasShut = this.isShut;
    byId("door-words").textContent = words;
    this.place.hidden = !words;
    if (wasShut === this.isShut) return;
    this.onTurn();
    if (words) speak(words);
  }

  focus() {
    this.code.focus();
  }

  #trouble(words) {
    byId("door-trouble").textContent = words;
    byId("door-trouble").hidden = !words;
  }

  async #enter(code) {
    this.#trouble("");
    const { words } = await join(code).catch((refused) => ({ words: refused.message }));
    const isOut = await this.look();
    if (!isOut) {
      this.code.value = "";
      this.onIn(words);
      return;
    }
    this.#trouble(words);
    this.code.select();
  }
}
