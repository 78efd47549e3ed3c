// What is known of a chat: its messages, kept up to date by the stream of events.

import { Interface } from "./api.js";
import { veil } from "./veil.js";

export const FINAL = new Set(["asking", "done", "refused", "failed", "cancelled"]);
const HIDDEN_MS = 30_000;

/** Emits `message` (detail: the message, before), `gone` (id), `reset`, `link` (true when connected). */
export class Chat extends EventTarget {
  constructor(name) {
    super();
    this.name = name;
    this.api = new Interface(name);
    this.known = new Map(); // id → message, or null where there is none any more
    this.listed = []; // what the page shows, in order
    this.more = false;
    this.lastEvent = "0-0";
    this.asked = new Set();
    this.retryMs = 500;
  }

  get(id) {
    return id ? this.known.get(id) : undefined;
  }

  keep(message) {
    this.known.set(message.id, message);
    veil(message);
  }

  answerTo(id) {
    return this.listed.findLast((message) => message.reply_to === id && message.author.is_bot);
  }

  async load() {
    const page = await this.api.messages();
    this.known.clear();
    this.asked.clear();
    page.messages.forEach((message) => this.keep(message));
    this.listed = page.messages;
    this.more = page.more;
    this.lastEvent = page.last_event_id;
    this.tell("reset");
  }

  /** The messages before those that are listed. */
  async older() {
    if (!this.more || this.loadingOlder) return [];
    this.loadingOlder = true;
    try {
      const page = await this.api.messages(this.listed[0].id);
      page.messages.forEach((message) => this.keep(message));
      this.listed = [...page.messages, ...this.listed];
      this.more = page.more;
      return page.messages;
    } finally {
      this.loadingOlder = false;
    }
  }

  /** Find out about a message that is not listed; `message` follows when it was found. */
  async wonder(id) {
    if (!id || this.known.has(id) || this.asked.has(id)) return;
    this.asked.add(id);
    try {
      const message = await this.api.message(id);
      this.keep(message);
      this.tell("found", { message });
    } catch (refused) {
      if (refused.passes) this.asked.delete(id);
      else this.known.set(id, null);
    }
  }

  /** Follow the stream of events, and come back whenever it breaks. */
  follow() {
    document.addEventListener("visibilitychange", () => this.#look());
    addEventListener("online", () => this.#connect());
    this.#connect();
  }

  tell(kind, detail = null) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  /** A page that nobody looks at gives its connection back: a browser has six for each host. */
  #look() {
    clearTimeout(this.hiding);
    if (document.hidden) this.hiding = setTimeout(() => this.#pause(), HIDDEN_MS);
    else if (!this.source) this.#connect();
  }

  #pause() {
    const waits = this.listed.some((message) => message.state && !FINAL.has(message.state));
    if (waits) this.hiding = setTimeout(() => this.#pause(), HIDDEN_MS);
    else this.#close();
  }

  #close() {
    this.source?.close();
    this.source = null;
  }

  #connect() {
    this.#close();
    clearTimeout(this.coming);
    const source = new EventSource(`${this.api.root}/events?after=${this.lastEvent}`);
    this.source = source;
    source.onopen = () => {
      this.retryMs = 500;
      this.tell("link", true);
    };
    source.onerror = () => this.#lost(source);
    source.addEventListener("message", (event) => this.#heard(event, () => this.#put(JSON.parse(event.data))));
    source.addEventListener("gone", (event) => this.#heard(event, () => this.#drop(JSON.parse(event.data).id)));
    source.addEventListener("reset", (event) => this.#heard(event, () => this.load().catch(() => this.#lost(source))));
  }

  #heard(event, act) {
    if (event.lastEventId) this.lastEvent = event.lastEventId;
    act();
  }

  #lost(source) {
    if (source !== this.source) return;
    this.#close();
    this.tell("link", false);
    this.coming = setTimeout(() => this.#connect(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, 15_000);
  }

  #put(message) {
    const before = this.known.get(message.id);
    this.keep(message);
    const at = this.listed.findIndex((one) => one.id === message.id);
    if (at >= 0) this.listed[at] = message;
    else if (!this.more || !this.listed.length || message.number > this.listed[0].number) this.#insert(message);
    else return;
    this.tell("message", { message, before });
  }

  #insert(message) {
    const after = this.listed.findLastIndex((one) => one.number < message.number);
    this.listed.splice(after + 1, 0, message);
  }

  #drop(id) {
    this.known.set(id, null);
    this.listed = this.listed.filter((one) => one.id !== id);
    this.tell("gone", { id });
  }
}
