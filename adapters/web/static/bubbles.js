// A message as it is drawn.

import { skew } from "./api.js";
import { FINAL } from "./chat.js";
import { el, icon, iconButton, shorten } from "./dom.js";
import { partsOf, picturesOf, sourcesOf } from "./lineage.js";

const STATES = {
  accepted: "On its way",
  waiting: "Waiting",
  running: "Working on it",
  asking: "Asks back",
  refused: "Not possible",
  failed: "Didn't work",
  cancelled: "Cancelled",
};
const SAID = new Set(["asking", "refused", "failed"]);
const BROAD_PX = 440;
const TALL_PX = 460;
const OWN = 0.7; // what people sent themselves is drawn smaller than what came of it

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** `does` are the things that can be done with a message: reply, look, compare, tree, jump, say, cancel. */
export function bubble(chat, message, me, does) {
  const isMine = !message.author.is_bot;
  const article = el(
    "article",
    {
      class: `message ${isMine ? "person" : "bot"} ${message.state ?? ""}`,
      id: `message-${message.id}`,
      tabIndex: 0,
      "aria-label": label(message),
      data: { id: message.id },
    },
    isMine && message.author.id !== me.id ? el("p", { class: "author" }, message.author.name) : null,
    quote(chat, message, does),
    isMine ? person(chat, message, does) : answer(chat, message, me, does),
  );
  article.addEventListener("dblclick", (event) => isPlain(event) && does.reply(message));
  return article;
}

/** A double click on words selects one, where there is a mouse; anywhere else it means the message. */
function isPlain({ target }) {
  const isSelecting = target.closest(".text") && matchMedia("(hover: hover)").matches;
  return !isSelecting && !target.closest("button, a");
}

function label(message) {
  const time = clock.format(message.created_at * 1000);
  return `${message.author.is_bot ? "Remixbot" : message.author.name}, ${time}`;
}

/** What a message replies to, where that does not stand right above it. */
function quote(chat, message, does) {
  if (!message.reply_to) return null;
  const at = chat.listed.findIndex((one) => one.id === message.id);
  if (message.author.is_bot && chat.listed[at - 1]?.id === message.reply_to) return null;
  const target = chat.get(message.reply_to);
  if (target === undefined) chat.wonder(message.reply_to);
  const picture = target ? picturesOf(chat, target)[0] : null;
  const words = target === null ? "A message that was deleted" : target ? snippet(chat, target) : "…";
  const thumb = picture ? el("img", { src: picture.url, alt: "", width: 28, height: 28, loading: "lazy" }) : icon("reply");
  const jump = () => does.jump(message.reply_to);
  return el("button", { type: "button", class: "quote", disabled: !target, title: "Show this message", onclick: jump }, thumb, el("span", {}, words));
}

export function snippet(chat, message) {
  if (!message.author.is_bot) return shorten(message.text || "A picture", 60);
  return shorten(chat.get(message.reply_to)?.text || partsOf(message).words || "A picture", 60);
}

function person(chat, message, does) {
  const local = message.images.length ? [] : does.previews(message);
  const isChecked = message.images.length > 0 || FINAL.has(chat.answerTo(message.id)?.state);
  const waits = message.uploads > 0 && !isChecked && !local.length;
  return el(
    "div",
    { class: "bubble" },
    message.images.length ? pictures(message, does) : null,
    local.length ? thumbs(local) : null,
    waits ? el("p", { class: "faint" }, message.uploads > 1 ? `${message.uploads} pictures are being checked…` : "The picture is being checked…") : null,
    message.text ? el("p", { class: "text", dir: "auto" }, message.text) : null,
    el("div", { class: "actions" }, time(message), message.images.length ? iconButton("reply", "Reply", () => does.reply(message)) : null),
  );
}

function answer(chat, message, me, does) {
  if (!FINAL.has(message.state)) return placeholder(chat, message, me, does);
  const { label: line, words } = partsOf(message);
  const bare = !message.images.length;
  return el(
    "div",
    { class: `bubble ${bare ? "bare" : ""}` },
    bare ? null : pictures(message, does),
    line ? el("p", { class: "label" }, line) : null,
    bare && SAID.has(message.state) ? el("p", { class: "state" }, STATES[message.state]) : null,
    words ? el("p", { class: "text", dir: "auto" }, words) : null,
    chips(message, does),
    actions(chat, message, does),
  );
}

function actions(chat, message, does) {
  const image = message.images[0];
  const hasBefore = image && sourcesOf(chat, message).length > 0;
  return el(
    "div",
    { class: "actions" },
    iconButton("reply", "Reply to this (R)", () => does.reply(message), image ? "Reply" : ""),
    hasBefore ? iconButton("compare", "Before and after", () => does.look(message, 0, true)) : null,
    image ? el("a", { class: "icon-button", href: `${image.url}?download=1`, download: "", title: "Download the original file", "aria-label": "Download the original file" }, icon("download")) : null,
    iconButton("tree", "All versions", () => does.tree(message)),
    message.state === "failed" ? again(chat, message, does) : null,
    time(message),
  );
}

function again(chat, message, does) {
  const asked = chat.get(message.reply_to);
  if (!asked?.text) return null;
  return el("button", { type: "button", class: "quiet-button", onclick: () => does.say(asked.text, message) }, "Try again");
}

function chips(message, does) {
  if (!message.suggestions.length) return null;
  const chip = (words) => el("button", { type: "button", class: "chip", onclick: () => does.say(words, message) }, words);
  return el("div", { class: "chips", role: "group", "aria-label": "What would work" }, message.suggestions.map(chip));
}

function time(message) {
  const at = new Date(message.created_at * 1000);
  return el("time", { dateTime: at.toISOString(), title: moment.format(at) }, clock.format(at));
}

function pictures(message, does) {
  const many = message.images.length > 1;
  return el("div", { class: many ? "pictures many" : "pictures" }, message.images.map((image, index) => picture(message, image, index, does)));
}

function picture(message, image, index, does) {
  const frame = el("button", { type: "button", class: "picture", "aria-label": `Look at it in full: ${altOf(image)}`, onclick: () => does.look(message, index) });
  frame.append(el("img", { src: image.url, alt: altOf(image), width: image.width_px, height: image.height_px, loading: "lazy", decoding: "async", draggable: false }));
  shape(frame, image, message.author.is_bot ? 1 : OWN);
  return frame;
}

const altOf = (image) => image.alt || "A picture";

/** The room a picture takes is known before it is there, so that nothing jumps. */
function shape(node, { width_px: width, height_px: height }, share = 1) {
  const scale = Math.min(1, (share * BROAD_PX) / width, (share * TALL_PX) / height);
  node.style.setProperty("--broad", `${Math.max(48, Math.round(width * scale))}px`);
  node.style.setProperty("--ratio", `${width} / ${height}`);
}

function placeholder(chat, message, me, does) {
  const source = sourcesOf(chat, message)[0];
  const ghost = source ? el("div", { class: "ghost", "aria-hidden": "true" }, el("img", { src: source.url, alt: "", loading: "lazy" })) : null;
  const isMine = chat.get(message.reply_to)?.author.id === me.id;
  const cancel = isMine ? el("button", { type: "button", class: "quiet-button cancel", onclick: (event) => does.cancel(message, event.target) }, "Cancel") : null;
  const drawn = el("div", { class: "bubble pending" }, ghost, el("div", { class: "progress" }, el("span", { class: "spinner", "aria-hidden": "true" }), el("p", {}, progress(message), seconds(message)), cancel));
  if (source) shape(drawn, source);
  return drawn;
}

function progress(message) {
  const words = message.text.replace(/[.…]+$/, "") || STATES[message.state];
  return message.position ? `${STATES.waiting}, ${ordinal(message.position)} in line` : words;
}

function seconds(message) {
  const since = message.started_at ?? message.created_at;
  const node = el("span", { class: "seconds", data: { since } });
  tick(node);
  return node;
}

/** Brings the running seconds of a placeholder up to date. */
export function tick(node) {
  const passed = Math.max(0, Math.floor((Date.now() + skew) / 1000 - Number(node.dataset.since)));
  node.textContent = passed < 60 ? ` · ${passed} s` : ` · ${Math.floor(passed / 60)} min ${passed % 60} s`;
}

function ordinal(number) {
  const rule = new Intl.PluralRules("en", { type: "ordinal" }).select(number);
  return `${number}${{ one: "st", two: "nd", few: "rd", other: "th" }[rule]}`;
}

function thumbs(urls) {
  const thumb = (url) => el("img", { src: url, alt: "", onerror: (event) => event.target.replaceWith(icon("file")) });
  return el("div", { class: "thumbs" }, urls.map(thumb));
}

/** What is on its way to the chat and not there yet. */
export function outgoing(item, does) {
  const state = { sending: item.files.length && item.share < 1 ? `Sending · ${Math.round(item.share * 100)} %` : "Sending", waiting: "Not sent yet, trying again", failed: item.words }[item.state];
  const buttons = {
    waiting: [el("button", { type: "button", class: "quiet-button", onclick: does.hurry }, "Try now")],
    failed: [
      el("button", { type: "button", class: "quiet-button", onclick: () => does.edit(item) }, "Change it"),
      el("button", { type: "button", class: "quiet-button", onclick: () => does.discard(item) }, "Discard"),
    ],
  }[item.state];
  return el(
    "article",
    { class: `message person outgoing ${item.state}`, data: { key: item.key } },
    el(
      "div",
      { class: "bubble" },
      item.urls.length ? thumbs(item.urls) : null,
      item.text ? el("p", { class: "text", dir: "auto" }, item.text) : null,
      el("div", { class: "actions" }, el("span", { class: item.state === "failed" ? "wrong" : "faint" }, state), buttons ?? null),
    ),
  );
}
