// The page: who is here, the chat on the screen, and what happens when something is pressed.

import { session, signIn, signOut } from "./api.js";
import { bubble, outgoing, placeOf } from "./bubbles.js";
import { Chat, FINAL } from "./chat.js";
import { Composer } from "./composer.js";
import { isAsked, question } from "./consent.js";
import { byId, isStill, speak } from "./dom.js";
import { Door } from "./door.js";
import { isCommand, isQuestion, partsOf } from "./lineage.js";
import { prepareMenu } from "./menu.js";
import { Outbox } from "./outbox.js";
import { tick } from "./seconds.js";
import { prepareSettings } from "./settings.js";
import { ask, prepareSheet, tell } from "./sheet.js";
import { Tree } from "./tree.js";
import { isVeiled, unveil } from "./veil.js";
import { Viewer } from "./viewer.js";
import { Welcome } from "./welcome.js";
import { t, tn } from "./words.js";

const NEAR_PX = 160;
const TWICE_MS = 1200; // a second press this soon is a nervous finger
const THEMES = ["auto", "light", "dark"];

class Page {
  constructor(me, limits, abilities = {}, isShared = false) {
    const given = new URLSearchParams(location.search).get("chat") ?? "";
    const name = /^[a-z0-9-]{1,64}$/.test(given) ? given : "home";
    this.me = me;
    this.chat = new Chat(name);
    this.outbox = new Outbox(this.chat);
    this.composer = new Composer(this.chat, me, limits, abilities);
    this.viewer = new Viewer(this.chat, (message, index) => this.composer.reply(message, index));
    this.tree = new Tree(this.chat, (id) => this.jump(id));
    this.welcome = new Welcome((file, text) => this.send({ text, files: file ? [file] : [] }), abilities.draws ?? true);
    this.door = new Door(this.chat, (words) => this.#comeIn(words), () => this.#refresh());
    prepareSettings((text) => this.send({ text }), isShared ? this.chat.api : null, (words) => this.note(words));
    byId("notice-close").onclick = () => this.note("");
    this.scroller = byId("main");
    this.does = {
      reply: (message, index = null) => this.composer.reply(message, index),
      look: (message, index, compare) => {
        this.unveil(message);
        this.viewer.open(message, index, compare);
      },
      unveil: (message) => this.unveil(message),
      tree: (message) => this.tree.open(message).catch((refused) => this.composer.say(refused.message)),
      jump: (id) => this.jump(id),
      say: (text, message) => this.press({ text, replyTo: message }),
      press: ({ act, argument, label }, message, index = null) => this.press({ text: label, replyTo: message, index, press: { act, argument } }),
      cancel: (message, button) => this.cancel(message, button),
      consent: (message, say, group) => this.consent(message, say, group),
      vote: (message, choice, group) => this.vote(message, choice, group),
      owns: (message) => (message.credit?.asker.id ?? this.chat.get(message.reply_to)?.author.id) === this.me.id,
      info: (message, index) => this.info(message, index),
      remove: (message) => this.remove(message),
      hurry: () => this.outbox.hurry(),
      edit: (item) => {
        this.outbox.discard(item);
        this.composer.restore(item);
      },
      discard: (item) => this.outbox.discard(item),
      previews: (message) => this.sent.get(message.key)?.urls ?? [],
    };
    this.sent = new Map(); // key → what this page sent, until the chat shows its pictures
    byId("chat-name").textContent = name;
    byId("chat-name").hidden = name === "home";
    this.#listen();
  }

  async start() {
    await Promise.all([this.chat.load(), this.door.look()]);
    this.chat.follow();
    setInterval(() => document.querySelectorAll(".seconds").forEach(tick), 1000);
  }

  // --- sending

  send({ text, files = [], replyTo = null, index = null, press = null, voice = null }) {
    this.note("");
    if (this.door.takes(text)) return;
    const item = this.outbox.add({ text, files, replyTo: replyTo?.id ?? replyTo, index, press, voice });
    if (!isCommand(text)) this.sentLast = item;
    this.sent.set(item.key, item);
    this.#refresh();
    this.#toEnd();
  }

  /** What a button says. Pressed twice in a row it is said once. */
  press(said) {
    const name = JSON.stringify([said.text, said.replyTo.id, said.index ?? null]);
    const isTwice = this.pressed?.name === name && performance.now() - this.pressed.at < TWICE_MS;
    this.pressed = { name, at: performance.now() };
    if (!isTwice) this.send(said);
  }

  async cancel(message, button) {
    button.disabled = true;
    try {
      await this.chat.api.cancel(message.turn_id);
    } catch (refused) {
      button.disabled = false;
      this.composer.say(refused.message);
    }
  }

  // --- what people decide

  async consent(message, say, group) {
    const buttons = [...group.querySelectorAll("button")];
    buttons.forEach((button) => (button.disabled = true));
    try {
      this.note((await this.chat.api.consent(message.turn_id, say)).words);
    } catch (refused) {
      buttons.forEach((button) => (button.disabled = false));
      this.note(refused.message);
    }
  }

  async vote(message, choice, group) {
    const buttons = [...group.querySelectorAll("button")];
    buttons.forEach((button) => (button.disabled = true));
    try {
      this.note((await this.chat.api.vote(message.vote.turn_id, choice)).words);
    } catch (refused) {
      this.note(refused.message);
    }
    buttons.forEach((button) => (button.disabled = false));
  }

  async info(message, index) {
    try {
      const { words } = await this.chat.api.info(message.id, index);
      await tell(index === null ? t("About this result") : t("About picture {number}", { number: index + 1 }), words);
    } catch (refused) {
      this.note(refused.message);
    }
  }

  async remove(message) {
    const title = tn("Delete this picture?", "Delete these {count} pictures?", Math.max(1, message.images.length));
    const isMeant = await ask(title, t("It will be gone for everybody here, and can’t be brought back. What was made from it stays."), t("Delete"));
    if (!isMeant) return;
    try {
      const { words } = await this.chat.api.remove(message.id);
      this.note(words || t("Deleted."));
    } catch (refused) {
      this.note(refused.message);
    }
  }

  /** Words for this person alone, until they send something. */
  note(words) {
    byId("notice-words").textContent = words;
    byId("notice").hidden = !words;
  }

  /** A hidden picture is shown everywhere once it was opened. */
  unveil(message) {
    const hadFocus = this.#node(message.id)?.contains(document.activeElement);
    if (!message.images.some(isVeiled) || !unveil(message)) return;
    for (const one of this.chat.listed) if (this.#node(one.id)) replace(this.#node(one.id), this.#draw(one));
    this.composer.show();
    if (hadFocus) this.#node(message.id).querySelector(".picture")?.focus({ preventScroll: true });
  }

  // --- the list

  #listen() {
    const { chat, outbox, composer } = this;
    chat.addEventListener("reset", () => this.#drawAll());
    chat.addEventListener("message", (event) => this.#changed(event.detail));
    chat.addEventListener("found", (event) => this.#found(event.detail.message));
    chat.addEventListener("gone", (event) => this.#gone(event.detail.id));
    chat.addEventListener("link", (event) => this.#link(event.detail));
    outbox.addEventListener("change", (event) => this.#drawOutgoing(event.detail));
    outbox.addEventListener("sent", () => this.door.isShut && this.door.look());
    outbox.addEventListener("told", (event) => this.#told(event.detail));
    outbox.addEventListener("shut", (event) => this.#shut(event.detail));
    composer.addEventListener("send", (event) => this.send(event.detail));
    composer.addEventListener("target", (event) => this.#mark(event.detail));
    byId("older").onclick = () => this.#older();
    byId("to-end").onclick = () => this.#toEnd();
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    byId("messages").addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("paste", (event) => this.#pasted(event));
    this.#drops();
    new IntersectionObserver(([entry]) => entry.isIntersecting && this.#older(), { root: this.scroller, rootMargin: "600px" }).observe(byId("older"));
    new ResizeObserver(() => this.atEnd && this.#toEnd()).observe(this.scroller.firstElementChild);
    new ResizeObserver(() => this.atEnd && this.#toEnd()).observe(this.scroller);
  }

  // --- the door

  #comeIn(words) {
    this.note(words);
    this.outbox.openDoor();
    this.composer.words.focus();
  }

  #shut(words) {
    this.door.show(words);
    this.door.focus();
    this.#toEnd();
  }

  /** What was no message is answered here alone. */
  #told(words) {
    // TRANSLATORS: the heading of words that are for whoever asked, and stand in no message
    if (words.includes("\n")) tell(t("For you alone"), words);
    else this.note(words);
  }

  #draw(message) {
    return bubble(this.chat, message, this.me, this.does);
  }

  #drawAll() {
    byId("messages").replaceChildren(...this.chat.listed.map((message) => this.#draw(message)));
    byId("older").hidden = !this.chat.more;
    this.#refresh();
    this.#toEnd();
  }

  #node(id) {
    return byId(`message-${id}`);
  }

  #changed({ message, before }) {
    const wasAtEnd = this.atEnd;
    if (message.key) this.#dropSent(message);
    const old = this.#node(message.id);
    const fresh = this.#draw(message);
    if (old) replace(old, fresh);
    else this.#insert(message, fresh);
    this.#redrawAround(message);
    this.#refresh();
    if (message.author.is_bot) this.#tellOf(message, before);
    if (!old && !wasAtEnd && message.author.is_bot) byId("to-end").hidden = false;
  }

  #insert(message, fresh) {
    const at = this.chat.listed.indexOf(message);
    const next = this.chat.listed[at + 1];
    byId("messages").insertBefore(fresh, next ? this.#node(next.id) : null);
  }

  /** A person's pictures show up in the answers' placeholders and quotes. */
  #redrawAround(message) {
    if (message.author.is_bot) return;
    for (const one of this.chat.listed) {
      if (one.reply_to === message.id && this.#node(one.id)) replace(this.#node(one.id), this.#draw(one));
    }
  }

  #found(message) {
    for (const one of this.chat.listed) {
      const asked = this.chat.get(one.reply_to);
      const isNear = one.reply_to === message.id || asked?.reply_to === message.id;
      if (isNear && this.#node(one.id)) replace(this.#node(one.id), this.#draw(one));
    }
    this.composer.show();
  }

  #gone(id) {
    this.#node(id)?.remove();
    for (const one of this.chat.listed) if (one.reply_to === id) replace(this.#node(one.id), this.#draw(one));
    this.composer.forget(id);
    this.#refresh();
  }

  #tellOf(message, before) {
    if (isAsked(message, this.me) && !(before && isAsked(before, this.me))) this.#callFor(question(this.chat, message));
    const wasOpen = !before || !FINAL.has(before.state);
    if (!FINAL.has(message.state) || !wasOpen || message.created_at < this.#openedAt) return;
    const { label, words } = partsOf(message);
    const ready = tn("Your picture is ready.", "Your pictures are ready.", Math.max(1, message.images.length));
    this.#callFor(message.state === "done" && message.images.length ? `${ready} ${label} ${words}` : [label, words].filter(Boolean).join(" "));
  }

  #callFor(words) {
    speak(words);
    if (document.hidden) document.title = "● Remixbot";
  }

  #openedAt = Date.now() / 1000 - 5;

  #drawOutgoing(item) {
    const old = this.#outgoing(item.key);
    const isOver = item.state === "gone" || this.chat.listed.some((message) => message.key === item.key);
    if (isOver) old?.remove();
    else if (old) replace(old, outgoing(item, this.does));
    else byId("outbox").append(outgoing(item, this.does));
    this.#refresh();
  }

  #outgoing(key) {
    return [...byId("outbox").children].find((node) => node.dataset.key === key);
  }

  /** What was sent leaves the outbox when the chat shows it, its pictures when the chat shows those. */
  #dropSent(message) {
    this.#outgoing(message.key)?.remove();
    if (!message.images.length || !this.sent.has(message.key)) return;
    this.sent.get(message.key).urls.forEach((url) => URL.revokeObjectURL(url));
    this.sent.delete(message.key);
  }

  #refresh() {
    const isEmpty = !this.chat.listed.length && !byId("outbox").children.length && !this.outbox.items.length;
    this.welcome.show(isEmpty && !this.door.isShut);
    byId("older").hidden = !this.chat.more;
    this.composer.setLatest(this.#latest());
  }

  /** What a message goes on from when nothing else is chosen: the last answer to this person, ready or not. */
  #latest() {
    const last = this.sentLast;
    if (last && ["sending", "waiting"].includes(last.state)) return last;
    if (last?.ids && this.chat.get(last.ids.answer_id) === undefined) return last;
    const isMine = (message) => this.chat.get(message.reply_to)?.author.id === this.me.id;
    const isAside = (text) => isCommand(text) || isQuestion(text);
    const isAnswer = (message) => message.images.length || (message.state !== "cancelled" && !isAside(this.chat.get(message.reply_to)?.text));
    const goesOn = (message) => message.author.is_bot && isAnswer(message);
    const answers = this.chat.listed.filter(goesOn);
    return answers.findLast(isMine) ?? answers.findLast((message) => message.images.length) ?? null;
  }

  /** Shows which message the composer replies to. */
  #mark(target) {
    document.querySelectorAll(".targeted").forEach((node) => node.classList.remove("targeted"));
    if (this.composer.choice && target?.id) {
      const article = this.#node(target.id);
      const node = article?.querySelector(`.panel[data-index="${this.composer.index}"]`) ?? article;
      node?.classList.add("targeted");
      if (node && !this.viewer.dialog.open) node.scrollIntoView({ block: "nearest", behavior: isStill() ? "auto" : "smooth" });
    }
  }

  // --- moving about

  get atEnd() {
    return this.isAtEnd ?? true;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    // What has grown below since the last step is nobody's wish to leave the end: only going up is.
    if (isNear) this.isAtEnd = true;
    else if (scrollTop < this.lastTop) this.isAtEnd = false;
    this.lastTop = scrollTop;
    if (this.isAtEnd) byId("to-end").hidden = true;
  }

  #toEnd() {
    this.isAtEnd = true;
    byId("to-end").hidden = true;
    this.scroller.scrollTop = byId("welcome").hidden ? this.scroller.scrollHeight : 0;
    this.lastTop = this.scroller.scrollTop;
  }

  async #older() {
    const messages = await this.chat.older().catch(() => []);
    if (!messages.length) return;
    const fromEnd = this.scroller.scrollHeight - this.scroller.scrollTop; // as it stands now and not before the wait
    byId("messages").prepend(...messages.map((message) => this.#draw(message)));
    byId("older").hidden = !this.chat.more;
    if (this.atEnd) this.#toEnd();
    else this.scroller.scrollTop = this.lastTop = this.scroller.scrollHeight - fromEnd;
  }

  async jump(id) {
    while (!this.#node(id) && this.chat.more) await this.#older();
    const node = this.#node(id);
    if (!node) return;
    this.isAtEnd = false;
    node.scrollIntoView({ block: "center", behavior: isStill() ? "auto" : "smooth" });
    node.focus({ preventScroll: true });
    node.classList.remove("flash");
    requestAnimationFrame(() => node.classList.add("flash"));
    setTimeout(() => node.classList.remove("flash"), 2000);
  }

  #key(event) {
    const article = event.target.closest(".message");
    if (!article || event.ctrlKey || event.metaKey || event.altKey) return;
    const message = this.chat.get(article.dataset.id);
    const step = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[event.key];
    if (event.key.toLowerCase() === "r" && message) this.composer.reply(message, placeOf(event.target));
    else if (step && event.target === article) article[step]?.focus();
    else return;
    event.preventDefault();
  }

  // --- pictures from outside

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || byId("viewer").open) return;
    event.preventDefault();
    this.composer.add(files);
  }

  #drops() {
    let depth = 0;
    const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const show = (isOver) => (byId("drop").hidden = !isOver);
    addEventListener("dragenter", (event) => hasFiles(event) && (depth += 1) && show(true));
    addEventListener("dragleave", (event) => hasFiles(event) && (depth = Math.max(0, depth - 1)) === 0 && show(false));
    addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      depth = 0;
      show(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.composer.add([...event.dataTransfer.files]);
    });
  }

  #link(isUp) {
    clearTimeout(this.linking);
    if (isUp) {
      byId("link").hidden = true;
      this.outbox.hurry();
    } else this.linking = setTimeout(() => (byId("link").hidden = false), 1500);
    if (!isUp) session().then(({ needs_password: needs, person }) => needs && !person && location.reload(), () => {});
  }
}

/** Puts a message's new looks in the place of the old, and keeps the focus near. */
function replace(old, fresh) {
  const hadFocus = old.contains(document.activeElement);
  if (old.classList.contains("flash")) fresh.classList.add("flash");
  if (old.classList.contains("targeted")) fresh.classList.add("targeted");
  const panel = old.querySelector(".panel.targeted");
  if (panel) fresh.querySelector(`.panel[data-index="${panel.dataset.index}"]`)?.classList.add("targeted");
  const drawn = [...old.querySelectorAll("img")];
  for (const image of fresh.querySelectorAll("img")) {
    const at = drawn.findIndex((one) => one.src === image.src && one.alt === image.alt && one.getAttribute("width") === image.getAttribute("width"));
    const [same] = at < 0 ? [] : drawn.splice(at, 1); // each once: a message may show the same picture twice
    if (same?.closest(".picture")) image.replaceWith(same); // it would be decoded anew, and flicker
  }
  old.replaceWith(fresh);
  if (hadFocus) fresh.focus({ preventScroll: true });
}

function theme() {
  const button = byId("theme");
  const chosen = () => document.documentElement.dataset.theme ?? "auto";
  const show = () => {
    button.querySelector("use").setAttribute("href", `#i-${chosen()}`);
    button.title = { auto: t("Colours: as your system"), light: t("Colours: light"), dark: t("Colours: dark") }[chosen()];
    button.setAttribute("aria-label", button.title);
  };
  button.onclick = () => {
    const next = THEMES[(THEMES.indexOf(chosen()) + 1) % THEMES.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Storage may be switched off: then the choice lasts as long as the page.
    }
    show();
  };
  show();
}

function askForPassword() {
  return new Promise((resolve) => {
    const form = byId("sign-in");
    form.hidden = false;
    byId("password").focus();
    form.onsubmit = async (event) => {
      event.preventDefault();
      const trouble = byId("sign-in-trouble");
      try {
        const answer = await signIn(byId("password").value, byId("name").value);
        form.hidden = true;
        resolve(answer);
      } catch (refused) {
        trouble.textContent = refused.message;
        trouble.hidden = false;
        byId("password").select();
      }
    };
  });
}

/** The page may be opened before the server is back. */
async function patiently(act) {
  for (let pause = 500; ; pause = Math.min(pause * 2, 10_000)) {
    try {
      const result = await act();
      byId("link").hidden = true;
      return result;
    } catch (refused) {
      if (!refused.passes) throw refused;
      byId("link").hidden = false;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

theme();
prepareMenu();
prepareSheet();
document.querySelectorAll("dialog [data-close]").forEach((button) => (button.onclick = () => button.closest("dialog").close()));
document.addEventListener("visibilitychange", () => !document.hidden && (document.title = "Remixbot"));

let here = await patiently(session);
if (here.needs_password && !here.person) here = await askForPassword();
byId("leave").hidden = !here.needs_password;
byId("leave").onclick = () => signOut().finally(() => location.reload());
byId("settings").hidden = false;
const page = new Page(here.person, here.limits, here.abilities, here.needs_password);
await patiently(() => page.start());
