// A message as it is drawn.

import { album } from "./album.js";
import { FINAL } from "./chat.js";
import { consent, isAsked } from "./consent.js";
import { about, controls, roleFixes, suggestions } from "./controls.js";
import { el, icon, iconButton, shorten } from "./dom.js";
import { creditOf, isCommand, partsOf, picturesOf, placesOf, saidBy, sourcesOf } from "./lineage.js";
import { pictures, shape, miniature, thumbs } from "./pictures.js";
import { seconds } from "./seconds.js";
import { isVeiled } from "./veil.js";
import { vote } from "./vote.js";
import { locale, percent, place, t, tn } from "./words.js";

const STATES = {
  // TRANSLATORS: a heading above an answer, or what a placeholder says: the state of an edit
  accepted: t("On its way"),
  // TRANSLATORS: a heading above an answer, or what a placeholder says: the state of an edit
  waiting: t("Waiting"),
  // TRANSLATORS: a heading above an answer, or what a placeholder says: the state of an edit
  running: t("Working on it"),
  // TRANSLATORS: a heading above an answer, or what a placeholder says: the state of an edit
  asking: t("One question"),
  // TRANSLATORS: a heading above an answer, or what a placeholder says: the state of an edit
  refused: t("Not possible"),
  // TRANSLATORS: a heading above an answer, or what a placeholder says: the state of an edit
  failed: t("Didn't work"),
  // TRANSLATORS: a heading above an answer, or what a placeholder says: the state of an edit
  cancelled: t("Cancelled"),
};
const SAID = new Set(["asking", "refused", "failed"]);

const clock = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

/** `does` are the things that can be done with a message: reply, look, compare, tree, jump, say, press, cancel. */
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
  article.addEventListener("dblclick", (event) => isPlain(event) && does.reply(message, placeOf(event.target)));
  return article;
}

/** A double click on words selects one, where there is a mouse; anywhere else it means the message. */
function isPlain({ target }) {
  const isSelecting = target.closest(".text, .panel-words") && matchMedia("(hover: hover)").matches;
  return !isSelecting && !target.closest("button, a");
}

/** Which picture of an album something belongs to; null for none. */
export function placeOf(node) {
  const panel = node.closest(".panel");
  return panel?.querySelector("img") ? Number(panel.dataset.index) : null;
}

function label(message) {
  const time = clock.format(message.created_at * 1000);
  const name = message.author.is_bot ? "Remixbot" : message.author.name;
  return t("{name}, {time}", { name, time });
}

/** What a message replies to, where that does not stand right above it, or is one picture of several. */
function quote(chat, message, does) {
  if (!message.reply_to) return null;
  const at = chat.listed.findIndex((one) => one.id === message.id);
  if (message.author.is_bot && chat.listed[at - 1]?.id === message.reply_to) return null;
  const target = chat.get(message.reply_to);
  if (target === undefined) chat.wonder(message.reply_to);
  const index = message.reply_index;
  const picture = target ? picturesOf(chat, target, index)[0] : null;
  const isOne = target && index !== null && placesOf(target) > 1;
  const said = target ? snippet(chat, target) : target === null ? t("A message that was deleted") : "…";
  const words = isOne ? t("Picture {number}: {words}", { number: index + 1, words: said }) : said;
  const thumb = picture ? miniature(picture, { width: 28, height: 28, loading: "lazy" }) : icon("reply");
  const jump = () => does.jump(message.reply_to);
  return el("button", { type: "button", class: "quote", disabled: !target, title: t("Show this message"), onclick: jump }, thumb, el("span", {}, words));
}

export function snippet(chat, message) {
  if (!message.author.is_bot) return shorten(saidBy(message) || t("A picture"), 60);
  return shorten(saidBy(chat.get(message.reply_to)) || partsOf(message).words || t("A picture"), 60);
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
    waits ? el("p", { class: "faint" }, tn("The picture is being checked…", "{count} pictures are being checked…", message.uploads)) : null,
    message.has_voice ? spoken() : null,
    message.file ? el("p", { class: "file", dir: "auto" }, icon("file"), message.file) : null,
    message.text ? el("p", { class: message.press ? "text pressed" : "text", dir: "auto" }, message.text) : null,
    el("div", { class: "actions" }, time(message), message.images.length ? iconButton("reply", t("Reply"), () => does.reply(message)) : null),
  );
}

const spoken = (length = "") => el("p", { class: "spoken-words" }, icon("mic"), length ? t("Voice message · {length}", { length }) : t("Voice message"));

function answer(chat, message, me, does) {
  const isFinal = FINAL.has(message.state);
  if (!isFinal && (!message.panels.length || isAsked(message, me))) return placeholder(chat, message, me, does);
  const { label: line } = partsOf(message);
  const isAlbum = message.panels.length > 0;
  const bare = !message.images.length && !isAlbum;
  const kind = isAlbum ? "has-album" : message.state === "asking" ? "bare question" : bare ? "bare" : "";
  return el(
    "div",
    { class: `bubble ${kind}` },
    bare || isAlbum ? null : pictures(message, does),
    line ? el("p", { class: isAlbum ? "label above" : "label" }, line) : null,
    isAlbum ? album(message, sourcesOf(chat, message)[0], does) : null,
    bare && SAID.has(message.state) ? el("p", { class: "state" }, message.state === "asking" ? icon("question") : null, STATES[message.state]) : null,
    said(message, does),
    vote(message, me, does),
    credit(chat, message, me),
    files(message),
    sources(message),
    suggestions(message, does),
    isFinal ? actions(chat, message, does) : el("div", { class: "actions" }, cancel(chat, message, me, does), time(message)),
  );
}

/** What an answer says beside its label: each line by itself, the roles with their corrections. */
function said(message, does) {
  const { label: line } = partsOf(message);
  const all = message.lines.length ? message.lines.map((one, index) => ({ one, kind: message.kinds[index] })) : [{ one: message.text }];
  const apart = ({ one, kind }) => one.split(/\n+/).map((part, at) => ({ one: part, kind: at ? "" : kind }));
  const lines = all.slice(message.lines.length && line ? 1 : 0).flatMap(apart).filter(({ one }) => one.trim());
  const fixes = roleFixes(message, does);
  const drawn = lines.map(({ one, kind }) => {
    const isHeard = kind === "heard";
    return el("p", { class: kind ? `text ${kind}` : "text", dir: "auto" }, isHeard ? icon("mic") : null, ...linked(one, message), kind === "roles" ? fixes : null);
  });
  return fixes && !lines.some(({ kind }) => kind === "roles") ? [el("p", { class: "text roles" }, fixes), ...drawn] : drawn;
}

/** The link that was made to share a picture can be opened; no other words become one. */
function linked(line, message) {
  const found = message.controls.some(({ act }) => act === "unshare") ? /https?:\/\/\S+\/s\/[0-9a-f]{40}/.exec(line) : null;
  if (!found) return [line];
  const [href] = found;
  return [line.slice(0, found.index), el("a", { class: "shared", href, target: "_blank", rel: "noopener noreferrer" }, href), line.slice(found.index + href.length)];
}

function credit(chat, message, me) {
  const words = message.images.length ? creditOf(chat, message, me) : "";
  return words ? el("p", { class: "credit", dir: "auto" }, words) : null;
}

/** Small files of words, to be kept. */
function files(message) {
  return message.files.map(({ name, text }) => {
    const href = `data:application/json;charset=utf-8,${encodeURIComponent(text)}`;
    return el("p", { class: "file" }, el("a", { href, download: name }, icon("file"), name));
  });
}

function sources(message) {
  if (!message.sources.length) return null;
  return el("div", { class: "sources" }, el("span", {}, tn("Source", "Sources", message.sources.length)), el("ul", {}, message.sources.map((one) => el("li", {}, source(one)))));
}

/** The links come from a model: only what leads to a web page over https can be followed. */
function source({ title, url }) {
  const link = URL.canParse(url) ? new URL(url) : null;
  if (link?.protocol !== "https:") return el("span", { dir: "auto" }, title || url);
  return el("a", { href: link.href, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, title || link.hostname, title ? [" ", el("small", {}, link.hostname)] : null);
}

function actions(chat, message, does) {
  if (isCommand(chat.get(message.reply_to)?.text)) return el("div", { class: "actions" }, time(message));
  const image = message.panels.length ? null : message.images[0];
  const hasBefore = image && sourcesOf(chat, message).some((one) => !isVeiled(one));
  const canReply = message.images.length > 0;
  const name = message.panels.length ? t("Reply to all of them (R)") : t("Reply to this (R)");
  const [first, others] = controls(message, does, canReply ? about(message, does) : []);
  return el(
    "div",
    { class: "actions" },
    iconButton("reply", name, () => does.reply(message), canReply ? t("Reply") : ""),
    first,
    hasBefore ? iconButton("compare", t("Before and after"), () => does.look(message, 0, true)) : null,
    image ? el("a", { class: "icon-button", href: `${image.url}?download=1`, download: "", title: t("Download the original file"), "aria-label": t("Download the original file") }, icon("download")) : null,
    iconButton("tree", t("All versions"), () => does.tree(message)),
    others,
    message.state === "failed" && !message.controls.length ? again(chat, message, does) : null,
    time(message),
  );
}

function again(chat, message, does) {
  const asked = chat.get(message.reply_to);
  if (!asked?.text) return null;
  return el("button", { type: "button", class: "quiet-button", onclick: () => does.say(asked.text, message) }, t("Try again"));
}

function time(message) {
  const at = new Date(message.created_at * 1000);
  return el("time", { dateTime: at.toISOString(), title: moment.format(at) }, clock.format(at));
}

function cancel(chat, message, me, does) {
  const isMine = chat.get(message.reply_to)?.author.id === me.id;
  return isMine ? el("button", { type: "button", class: "quiet-button cancel", onclick: (event) => does.cancel(message, event.target) }, t("Cancel")) : null;
}

function placeholder(chat, message, me, does) {
  if (isAsked(message, me)) return el("div", { class: "bubble bare question" }, consent(chat, message, me, does), el("div", { class: "actions" }, cancel(chat, message, me, does), time(message)));
  const source = sourcesOf(chat, message)[0];
  const ghost = source ? el("div", { class: "ghost", "aria-hidden": "true" }, el("img", { src: source.url, alt: "", loading: "lazy" })) : null;
  const waitsForPeople = message.asks.length > 0;
  // What stands further down while people are asked is said to them alone.
  const also = (waitsForPeople ? [] : message.lines.slice(1)).map((line) => el("p", { class: "text heard", dir: "auto" }, line));
  const drawn = el(
    "div",
    { class: waitsForPeople ? "bubble pending still" : "bubble pending" },
    ghost,
    el(
      "div",
      { class: "progress" },
      waitsForPeople ? icon("question") : el("span", { class: "spinner", "aria-hidden": "true" }),
      el("p", {}, progress(message), waitsForPeople ? null : seconds(message)),
      cancel(chat, message, me, does),
    ),
    also,
  );
  if (source) shape(drawn, source);
  return drawn;
}

function progress(message) {
  const words = (message.lines[0] ?? message.text).replace(/[.…。]+$/, "") || STATES[message.state];
  return message.position && !message.asks.length ? waitsAt(message.position) : words;
}

function waitsAt(position) {
  // TRANSLATORS: {place} is "2nd" in English, and the bare number "2" in all other languages
  return t("Waiting, {place} in line", { place: place(position) });
}

/** What is on its way to the chat and not there yet. */
export function outgoing(item, does) {
  const state = { sending: item.files.length && item.share < 1 ? t("Sending · {share}", { share: percent(item.share) }) : t("Sending"), waiting: t("Not sent yet, trying again"), failed: item.code === "kept_out" ? t("It goes once you are let in.") : item.words }[item.state];
  const isWritten = !item.voice && !item.press;
  const buttons = {
    waiting: [el("button", { type: "button", class: "quiet-button", onclick: does.hurry }, t("Try now"))],
    failed: [
      isWritten ? el("button", { type: "button", class: "quiet-button", onclick: () => does.edit(item) }, t("Change it")) : null,
      el("button", { type: "button", class: "quiet-button", onclick: () => does.discard(item) }, t("Discard")),
    ],
  }[item.state];
  return el(
    "article",
    { class: `message person outgoing ${item.state}`, data: { key: item.key } },
    el(
      "div",
      { class: "bubble" },
      item.urls.length ? thumbs(item.urls) : null,
      item.voice ? spoken(item.voice.length) : null,
      item.text ? el("p", { class: item.press ? "text pressed" : "text", dir: "auto" }, item.text) : null,
      el("div", { class: "actions" }, el("span", { class: item.state === "failed" ? "wrong" : "faint" }, state), buttons ?? null),
    ),
  );
}
