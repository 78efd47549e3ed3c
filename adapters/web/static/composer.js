// Where a message is written: words, pictures, and what it replies to.

import { byId, el, icon, shorten } from "./dom.js";
import { picturesOf } from "./lineage.js";

const isPicture = (file) => file.type.startsWith("image/") || /\.(jpe?g|png|webp|hei[cf]|gif|avif|tiff?|bmp)$/i.test(file.name);

/** Emits `send` (detail: text, files, replyTo) and `target` (detail: the message replied to, or null). */
export class Composer extends EventTarget {
  constructor(chat, limits) {
    super();
    this.chat = chat;
    this.limits = limits;
    this.files = [];
    this.choice = undefined; // undefined: the latest result; null: nothing; else a message
    this.latest = null;
    this.form = byId("composer");
    this.words = byId("words");
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.words.addEventListener("input", () => this.#fit());
    this.words.addEventListener("keydown", (event) => this.#key(event));
    byId("add").onclick = () => byId("files").click();
    byId("files").onchange = (event) => {
      this.add([...event.target.files]);
      event.target.value = "";
    };
  }

  /** The message that what is written replies to; an item of the outbox where its answer is not there yet. */
  get target() {
    if (this.choice !== undefined) return this.choice;
    return this.files.length ? null : this.latest;
  }

  reply(message) {
    this.choice = message;
    this.show();
    this.words.focus();
  }

  /** What a message replies to when nothing else is chosen. */
  setLatest(latest) {
    this.latest = latest;
    if (this.choice === undefined) this.show();
  }

  forget(id) {
    if (this.choice?.id === id) this.choice = undefined;
    this.show();
  }

  add(files) {
    const pictures = files.filter(isPicture);
    const small = pictures.filter((file) => file.size <= this.limits.image_bytes);
    const room = this.limits.images - this.files.length;
    if (pictures.length < files.length) this.say("I can only take pictures.");
    else if (small.length < pictures.length) this.say(`I can take pictures of up to ${Math.floor(this.limits.image_bytes / 2 ** 20)} MB each.`);
    else if (small.length > room) this.say(`I can take up to ${this.limits.images} pictures at once.`);
    else this.say("");
    for (const file of small.slice(0, room)) this.files.push({ file, url: URL.createObjectURL(file) });
    this.show();
    if (small.length) this.words.focus();
  }

  say(words) {
    byId("trouble").textContent = words;
    byId("trouble").hidden = !words;
  }

  /** Put back what could not be sent. */
  restore(item) {
    this.words.value = item.text;
    this.files = item.files.map((file) => ({ file, url: URL.createObjectURL(file) }));
    this.choice = typeof item.replyTo === "string" ? this.chat.get(item.replyTo) ?? undefined : undefined;
    this.#fit();
    this.show();
    this.words.focus();
  }

  show() {
    this.form.hidden = false;
    this.#showTarget();
    this.#showFiles();
    const { target } = this;
    this.words.placeholder = target ? "What should change?" : this.files.length ? "What should change? You can add more pictures" : "Add a picture to begin";
    this.dispatchEvent(new CustomEvent("target", { detail: target }));
  }

  #showTarget() {
    const place = byId("target");
    const { target } = this;
    const canGoOn = !target && this.latest && this.choice !== undefined;
    place.hidden = !target && !canGoOn && !(this.files.length && this.latest && this.choice === undefined);
    if (place.hidden) return place.replaceChildren();
    if (!target) return place.replaceChildren(this.#offer());
    const picture = target.id ? picturesOf(this.chat, target)[0] : null;
    const thumb = picture ? el("img", { src: picture.url, alt: "", width: 40, height: 40 }) : el("span", { class: "no-thumb" }, icon("reply"));
    const drop = el("button", { type: "button", class: "icon-button small", "aria-label": "Don't reply to this", title: "Don't reply to this", onclick: () => this.reply(null) }, icon("close"));
    return place.replaceChildren(thumb, el("p", {}, el("strong", {}, this.#targetTitle(target)), el("span", {}, this.#targetWords(target))), drop);
  }

  #offer() {
    const words = this.files.length ? "A new beginning, with the pictures below" : "A new beginning";
    const back = el("button", { type: "button", class: "link-button", onclick: () => this.reply(this.latest) }, "reply to the latest result instead");
    return el("p", { class: "offer" }, `${words} – `, back);
  }

  #targetTitle(target) {
    const isLatest = target === this.latest || (target.id && target.id === this.latest?.id);
    if (!target.id) return "Replying to the picture in the making";
    if (!target.author.is_bot) return target.author.name === "You" ? "Replying to your message" : `Replying to ${target.author.name}`;
    if (target.state === "done") return isLatest ? "Replying to the latest result" : "Replying to an earlier result";
    if (["accepted", "waiting", "running"].includes(target.state)) return "Replying to the picture in the making";
    return "Going on with this picture";
  }

  #targetWords(target) {
    const asked = target.id ? (target.author.is_bot ? this.chat.get(target.reply_to)?.text : target.text) : target.text;
    return shorten(asked ?? "", 90);
  }

  #showFiles() {
    const list = byId("previews");
    list.hidden = !this.files.length;
    list.replaceChildren(...this.files.map((entry) => this.#preview(entry)));
  }

  #preview(entry) {
    const { file, url } = entry;
    const picture = el("img", { src: url, alt: file.name });
    picture.onerror = () => picture.replaceWith(el("span", { class: "no-thumb", title: file.name }, icon("file")));
    const drop = el("button", { type: "button", class: "round remove", "aria-label": `Remove ${file.name}`, onclick: () => this.#remove(entry) }, icon("close"));
    return el("li", {}, picture, drop);
  }

  #remove(entry) {
    this.files = this.files.filter((one) => one !== entry);
    URL.revokeObjectURL(entry.url);
    this.show();
    this.words.focus();
  }

  #key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === "Escape" && this.choice !== undefined) {
      this.choice = undefined;
      this.show();
    } else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && !this.words.value && !event.isComposing) {
      event.preventDefault();
      this.#walk(event.key === "ArrowUp" ? -1 : 1);
    }
  }

  /** To the result before, or after, the one that is replied to. */
  #walk(step) {
    const results = this.chat.listed.filter((message) => message.author.is_bot && message.images.length);
    const at = results.findIndex((message) => message.id === this.target?.id);
    const to = at < 0 ? (step < 0 ? results.length - 1 : -1) : at + step;
    if (results[to]) this.reply(results[to]);
  }

  #fit() {
    this.words.style.height = "auto";
    this.words.style.height = `${this.words.scrollHeight}px`;
    const over = [...this.words.value].length - this.limits.text_chars;
    this.say(over > 0 ? `That is ${over} characters more than I can read at once.` : "");
  }

  #submit(event) {
    event.preventDefault();
    const text = this.words.value.trim();
    if ([...text].length > this.limits.text_chars) return;
    if (!text && !this.files.length) {
      this.say(this.target ? "Write what should change." : "Add a picture, then write what should change.");
      return;
    }
    const detail = { text, files: this.files.map(({ file }) => file), replyTo: this.target };
    this.files.forEach(({ url }) => URL.revokeObjectURL(url));
    this.files = [];
    this.words.value = "";
    this.choice = undefined;
    this.#fit();
    this.dispatchEvent(new CustomEvent("send", { detail }));
    this.show();
  }
}
