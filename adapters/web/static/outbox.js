// What is on its way to the chat. Sent one after the other; what fails waits and goes again under the same key.

import { t } from "./words.js";

const LONGEST_MS = 30_000;

/** Emits `change` (an item changed or came or went), `sent` (detail: item, ids), `told` (detail: words): it was no
 *  message, and was dealt with; `shut` (detail: words): whoever sent it is not let in. */
export class Outbox extends EventTarget {
  constructor(chat) {
    super();
    this.chat = chat;
    this.items = [];
    this.limits = {};
    addEventListener("online", () => this.hurry());
    addEventListener("beforeunload", (event) => this.items.length && event.preventDefault());
  }

  /** `replyTo` is the id of a message, or an item of this outbox that is to be answered first; `index` the one of its
   *  pictures that is meant. `press` is a control ({act, argument}), `voice` a recording ({file, length}). */
  add({ text, files, replyTo, index = null, press = null, voice = null }) {
    const item = { key: newKey(), text, files, replyTo, index, press, voice, state: "sending", share: 0, tries: 0, words: "" };
    item.urls = files.map((file) => URL.createObjectURL(file));
    this.items.push(item);
    this.#tell(item);
    this.#run();
    return item;
  }

  discard(item) {
    this.items = this.items.filter((one) => one !== item);
    item.state = "gone";
    this.#tell(item);
    this.#run();
  }

  /** Send what was refused because of the door. */
  openDoor() {
    for (const item of this.items) if (item.code === "kept_out") Object.assign(item, { state: "sending", code: "" });
    this.#run();
  }

  /** Try again now. */
  hurry() {
    this.wake?.();
  }

  #tell(item) {
    this.dispatchEvent(new CustomEvent("change", { detail: item }));
  }

  async #run() {
    if (this.running) return;
    this.running = true;
    try {
      for (let item = this.#first(); item; item = this.#first()) await this.#send(item);
    } finally {
      this.running = false;
    }
  }

  #first() {
    return this.items.find((item) => item.state !== "failed");
  }

  async #send(item) {
    Object.assign(item, { state: "sending", share: 0 });
    this.#tell(item);
    try {
      const replyTo = this.#resolved(item.replyTo);
      const ids = await this.chat.api.post({ ...item, replyTo }, (share) => {
        item.share = share;
        this.#tell(item);
      });
      this.#sent(item, ids);
    } catch (refused) {
      if (refused.passes) await this.#wait(item, refused);
      else if (refused.code === "told") this.#told(item, refused.message);
      else this.#fail(item, refused);
    }
  }

  #resolved(replyTo) {
    if (!replyTo || typeof replyTo === "string") return replyTo;
    if (replyTo.ids) return replyTo.ids.answer_id;
    throw Object.assign(new Error(t("The message before this one was not sent.")), { passes: false });
  }

  #sent(item, ids) {
    item.ids = ids;
    item.state = "sent";
    this.items = this.items.filter((one) => one !== item);
    this.dispatchEvent(new CustomEvent("sent", { detail: { item, ids } }));
    this.#tell(item);
  }

  #told(item, words) {
    this.discard(item);
    this.dispatchEvent(new CustomEvent("told", { detail: words }));
  }

  #fail(item, { message, code }) {
    Object.assign(item, { state: "failed", words: message, code });
    this.#tell(item);
    if (code === "kept_out") this.dispatchEvent(new CustomEvent("shut", { detail: message }));
  }

  async #wait(item, refused) {
    item.tries += 1;
    const patience = Math.min(1000 * 2 ** (item.tries - 1), LONGEST_MS);
    const pause = refused.waitSeconds ? Math.max(refused.waitSeconds * 1000, patience) : patience;
    Object.assign(item, { state: "waiting", words: refused.message });
    this.#tell(item);
    await new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, pause);
    });
  }
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
