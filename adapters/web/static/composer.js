// Where a message is written: words, pictures, and what it replies to.

import { byId, el, icon, shorten } from "./dom.js";
import { Hints } from "./hints.js";
import { countOf, isCommand, picturesOf, placesOf, saidBy, shownOf } from "./lineage.js";
import { miniature } from "./pictures.js";
import { canRecord, Recorder } from "./recorder.js";
import { around, t, tn } from "./words.js";

const isPicture = (file) => file.type.startsWith("image/") || /\.(jpe?g|png|webp|hei[cf]|gif|avif|tiff?|bmp)$/i.test(file.name);
const isRecipe = (file) => /\.recipe[ _()\d-]{0,8}\.json$/i.test(file.name);

const isNew = (words) => isCommand(words) || /^\s*\/imagine\b/i.test(words);
const OPEN = ["accepted", "waiting", "running"];

/** Emits `send` (detail: text, files, voice, replyTo, index) and `target` (detail: the message replied to, or null). */
export class Composer extends EventTarget {
  constructor(chat, me, limits, { draws = true, hears = true } = {}) {
    super();
    this.chat = chat;
    this.me = me;
    this.limits = limits;
    this.draws = draws;
    this.files = [];
    this.choice = undefined; // undefined: the latest result; null: nothing; else a message
    this.index = null; // which of its pictures is meant; null: all of them
    this.latest = null;
    this.form = byId("composer");
    this.words = byId("words");
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.words.addEventListener("input", () => this.#typed());
    this.hints = new Hints(this.words, draws, (text, isWhole) => this.#hinted(text, isWhole));
    this.hears = hears && canRecord();
    if (this.hears) this.#listen(new Recorder());
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
    return this.files.length || isNew(this.words.value) ? null : this.latest;
  }

  /** `index` is the one of its pictures that is meant, null for all of them. */
  reply(message, index = null) {
    this.choice = message;
    this.index = index;
    this.show();
    this.words.focus();
  }

  /** What a message replies to when nothing else is chosen. */
  setLatest(latest) {
    if (this.choice === undefined && latest?.id !== this.latest?.id) this.index = null;
    this.latest = latest;
    if (this.choice === undefined) this.show();
  }

  forget(id) {
    if (this.choice?.id === id) this.#unchoose();
    this.show();
  }

  add(files) {
    const pictures = files.filter((file) => isPicture(file) || isRecipe(file));
    const small = pictures.filter((file) => file.size <= this.limits.image_bytes);
    const room = this.limits.images - this.files.length;
    if (pictures.length < files.length) this.say(t("I can only take pictures."));
    else if (small.length < pictures.length) this.say(t("I can take pictures of up to {megabytes} MB each.", { megabytes: Math.floor(this.limits.image_bytes / 2 ** 20) }));
    else if (small.length > room) this.say(tn("I can take {count} picture at once.", "I can take up to {count} pictures at once.", this.limits.images));
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
    this.index = item.index;
    this.files = item.files.map((file) => ({ file, url: URL.createObjectURL(file) }));
    this.choice = typeof item.replyTo === "string" ? this.chat.get(item.replyTo) ?? undefined : undefined;
    this.#fit();
    this.show();
    this.words.focus();
  }

  show() {
    this.form.hidden = false;
    byId("record").hidden = !this.hears || this.words.value !== "";
    this.#showTarget();
    this.#showFiles();
    const { target } = this;
    this.words.placeholder = this.#asks(target);
    this.dispatchEvent(new CustomEvent("target", { detail: target }));
  }

  #asks(target) {
    if (target?.state === "asking") return t("Your answer");
    if (target) return t("What should change?");
    if (matchMedia("(max-width: 560px)").matches) return t("What should change?"); // longer words would be cut there
    if (this.files.length) return t("What should change? You can add more pictures");
    return this.draws ? t("Add a picture, or say what to draw") : t("Add a picture to begin");
  }

  #showTarget() {
    const place = byId("target");
    const { target } = this;
    const canGoOn = !target && this.latest && this.choice !== undefined;
    place.hidden = !target && !canGoOn && !(this.files.length && this.latest && this.choice === undefined);
    if (place.hidden) return place.replaceChildren();
    if (!target) return place.replaceChildren(this.#offer());
    const count = target.id ? countOf(target) : 0;
    const picture = target.id && (count < 2 || this.index !== null) ? picturesOf(this.chat, target, this.index)[0] : null;
    const thumb = picture ? miniature(picture, { width: 40, height: 40 }) : el("span", { class: "no-thumb" }, icon("reply"));
    const drop = el("button", { type: "button", class: "icon-button small", "aria-label": t("Don't reply to this"), title: t("Don't reply to this"), onclick: () => this.reply(null) }, icon("close"));
    const words = el("p", {}, el("strong", {}, this.#targetTitle(target)), el("span", {}, this.#targetWords(target)));
    return place.replaceChildren(...(count > 1 ? [words, drop, this.#choices(target)] : [thumb, words, drop]));
  }

  /** Of several pictures, all are meant, or the one that is pressed. */
  #choices(target) {
    const choice = ({ image, index }) => {
      const isChosen = this.index === index;
      const choose = () => this.reply(target, isChosen ? null : index);
      return el("button", { type: "button", class: "which", "aria-pressed": String(isChosen), "aria-label": t("Only picture {number} of {count}", { number: index + 1, count: placesOf(target) }), onclick: choose }, miniature(image));
    };
    return el("div", { class: "whiches", role: "group", "aria-label": t("Which picture") }, shownOf(target).map(choice));
  }

  #offer() {
    // TRANSLATORS: {link} is where "reply to the latest result instead" stands, which can be pressed
    const words = this.files.length ? t("A new beginning, with the pictures below – {link}") : t("A new beginning – {link}");
    const back = el("button", { type: "button", class: "link-button", onclick: () => this.reply(this.latest) }, t("reply to the latest result instead"));
    return el("p", { class: "offer" }, around(words, "link", back));
  }

  #targetTitle(target) {
    const isLatest = target === this.latest || (target.id && target.id === this.latest?.id);
    if (!target.id) return t("Replying to the picture in the making");
    const count = countOf(target);
    if (count > 1) return this.index === null ? tn("Replying to {count} picture", "Replying to all {count} pictures", count) : t("Replying to picture {number} of {count}", { number: this.index + 1, count: placesOf(target) });
    if (!target.author.is_bot) return target.author.id === this.me.id ? t("Replying to your message") : t("Replying to {name}", { name: target.author.name });
    if (target.state === "done" && target.images.length) return isLatest ? t("Replying to the latest result") : t("Replying to an earlier result");
    if (target.state === "done" && !target.images.length) return t("Going on from this answer");
    if (target.state === "asking") return t("Answering the question");
    if (OPEN.includes(target.state)) return t("Replying to the picture in the making");
    return t("Going on with this picture");
  }

  #targetWords(target) {
    const panel = this.index === null ? null : target.panels?.[this.index];
    const asked = panel?.words || saidBy(target.author?.is_bot ? this.chat.get(target.reply_to) : target);
    return shorten(asked, 90);
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
    const drop = el("button", { type: "button", class: "round remove", "aria-label": t("Remove {file}", { file: file.name }), onclick: () => this.#remove(entry) }, icon("close"));
    return el("li", {}, picture, drop);
  }

  #remove(entry) {
    this.files = this.files.filter((one) => one !== entry);
    URL.revokeObjectURL(entry.url);
    this.show();
    this.words.focus();
  }

  #key(event) {
    if (this.hints.takes(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === "Escape" && (this.choice !== undefined || this.index !== null)) {
      this.#unchoose();
      this.show();
    } else if (event.key.startsWith("Arrow") && !this.words.value && !event.isComposing) {
      event.preventDefault();
      if (event.key === "ArrowUp" || event.key === "ArrowDown") this.#walk(event.key === "ArrowUp" ? -1 : 1);
      else this.#step(event.key === "ArrowLeft" ? -1 : 1);
    }
  }

  #unchoose() {
    this.choice = undefined;
    this.index = null;
  }

  /** To the picture beside, where the message replied to shows several. */
  #step(step) {
    const { target } = this;
    if (!target?.id || countOf(target) < 2) return;
    const places = [null, ...shownOf(target).map(({ index }) => index)];
    const to = places[(places.indexOf(this.index) + step + places.length) % places.length];
    this.reply(target, to);
  }

  #typed() {
    this.#fit();
    this.hints.show();
    const kind = `${isNew(this.words.value)} ${this.words.value === ""}`;
    if (kind !== this.kind) this.show();
    this.kind = kind;
  }

  #hinted(text, isWhole) {
    this.words.value = text;
    this.#typed();
    if (isWhole) this.form.requestSubmit();
    else this.words.focus();
  }

  #listen(recorder) {
    recorder.addEventListener("voice", ({ detail }) => this.#send("", detail));
    recorder.addEventListener("trouble", ({ detail }) => this.say(detail));
    recorder.addEventListener("close", () => this.words.focus());
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
    this.say(over > 0 ? tn("That is {count} character more than I can read at once.", "That is {count} characters more than I can read at once.", over) : "");
  }

  #submit(event) {
    event.preventDefault();
    const text = this.words.value.trim();
    if ([...text].length > this.limits.text_chars) return;
    if (!text && !this.files.length) {
      this.say(this.target ? t("Write what should change.") : t("Add a picture, then write what should change."));
      return;
    }
    this.#send(text);
  }

  #send(text, voice = null) {
    const replyTo = isCommand(text) ? null : this.target;
    const index = replyTo?.id && countOf(replyTo) > 1 ? this.index : null;
    const detail = { text, files: this.files.map(({ file }) => file), voice, replyTo, index };
    this.files.forEach(({ url }) => URL.revokeObjectURL(url));
    this.files = [];
    this.words.value = "";
    this.#unchoose();
    this.#typed();
    this.dispatchEvent(new CustomEvent("send", { detail }));
    this.show();
  }
}
