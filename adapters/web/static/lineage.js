// Who came from whom. A message of the bot replies to a person's message, which may reply to a picture.

import { FINAL } from "./chat.js";
import { listed, t } from "./words.js";

const DEEPEST = 50;
const BESIDE = new Set(["again", "exactly", "surprise", "variations", "canvas"]); // made of what the picture was made of
const ASIDE = new Set(["mine", "withdraw", "share", "unshare"]);
const FROM_ELSEWHERE = new Set(["latest", "imagine"]);
const alike = (one, other) => Math.abs((one.width_px * other.height_px) / (one.height_px * other.width_px) - 1) < 0.01;

/** What a message shows: {image, index, words}. `index` is what a reply to that picture alone says. */
export function shownOf(message) {
  if (!message.panels.length) return message.images.map((image) => ({ image, index: image.index, words: "" }));
  return message.panels.flatMap(({ image, words }, index) => (image ? [{ image, index, words }] : []));
}

/** How many pictures a reply could mean: those that are there, and those that are still to come. */
export const countOf = (message) => (FINAL.has(message.state) ? message.images.length : placesOf(message));

/** How many places for pictures it has, filled or not. */
export const placesOf = (message) => message.panels.length || message.images.length;

/** The pictures that an answer was made from, in order. */
export function sourcesOf(chat, answer, depth = 0) {
  const asked = known(chat, answer.reply_to);
  if (!asked || depth > DEEPEST) return [];
  const act = asked.press?.act;
  if (FROM_ELSEWHERE.has(act)) return [];
  if (!asked.reply_to) return asked.images;
  const parent = known(chat, asked.reply_to);
  if (!parent) return asked.images;
  if (BESIDE.has(act)) return sourcesOf(chat, parent, depth + 1);
  if (act === "original") return beginningOf(chat, parent);
  return [...picturesOf(chat, parent, asked.reply_index, depth + 1), ...asked.images];
}

/** The one of them that the picture is a changed version of, as far as can be told. */
export function beforeOf(chat, answer, image) {
  const sources = sourcesOf(chat, answer);
  return sources.find((one) => alike(one, image)) ?? sources[0] ?? null;
}

export const isAlike = (image, before) => Boolean(before) && alike(image, before);

/** The pictures that a reply to this message goes on from: its own (or that one of them), else what it came from. */
export function picturesOf(chat, message, index = null, depth = 0) {
  if (message.images.length) {
    const one = index === null ? null : shownOf(message).find((shown) => shown.index === index);
    return one ? [one.image] : message.images;
  }
  if (message.author.is_bot) return sourcesOf(chat, message, depth);
  const parent = known(chat, message.reply_to);
  return parent && depth < DEEPEST ? picturesOf(chat, parent, message.reply_index, depth + 1) : [];
}

function beginningOf(chat, answer) {
  for (let at = answer, steps = 0; at && steps < DEEPEST; steps += 1) {
    const asked = known(chat, at.reply_to);
    if (!asked?.reply_to) return asked?.images ?? [];
    at = known(chat, asked.reply_to);
  }
  return [];
}

function known(chat, id) {
  const message = chat.get(id);
  if (message === undefined) chat.wonder(id);
  return message;
}

export const threadOf = (message) => message.turn_id?.split("-")[0] ?? null;

/** The thread that a message stands in: that of its answer, where a person wrote it. */
export function threadAround(chat, message) {
  return threadOf(message.author.is_bot ? message : chat.answerTo(message.id) ?? message);
}

/** The label's line of an answer, apart from what else it says. An answer in words has one where AI gave it. */
export function partsOf(message) {
  const { lines, images, state } = message;
  const isWords = state === "done" && lines.length > 1 && !/[.?!:…”"。？！：」』]$/.test(lines[0]);
  const isLabelled = message.author.is_bot && lines.length > 0 && (images.length > 0 || isWords);
  return isLabelled ? { label: lines[0], words: lines.slice(1).join("\n") } : { label: "", words: message.text };
}

/** The name of somebody who said something here; "" for anybody else. */
export function nameOf(chat, id) {
  return [...chat.known.values()].find((message) => message?.author.id === id)?.author.name ?? "";
}

/** Where a result grew from somebody else's picture: whose, and who asked for it. */
export function creditOf(chat, { credit }, me) {
  const others = credit?.owners.filter((id) => id !== credit.asker.id) ?? [];
  if (!others.length) return "";
  const asker = credit.asker.id === me.id ? "" : t("asked for by {name}", { name: credit.asker.name });
  return [fromWhom(chat, others, me), asker].filter(Boolean).join(" · ");
}

function fromWhom(chat, owners, me) {
  if (owners.length === 1) {
    const [id] = owners;
    if (id === me.id) return t("From your picture");
    const name = nameOf(chat, id);
    return name ? t("From {name}’s picture", { name }) : t("From somebody else’s picture");
  }
  // TRANSLATORS: these two stand in a list after "From pictures of"
  const names = owners.map((id) => (id === me.id ? t("you") : nameOf(chat, id) || t("somebody else")));
  return t("From pictures of {names}", { names: listed(names) });
}

/** What a person said, in words for a short mention. */
export const saidBy = (message) => message?.text || (message?.has_voice ? t("Voice message") : "");

/** Words that ask where a picture comes from: nothing is made from the answer. */
export const isQuestion = (text) => /^\s*\/verify\b/i.test(text ?? "");

/** Words that ask about the chat itself and not for a picture. */
export const isCommand = (text) => /^\s*\/(usage|settings|help|start|leaderboard)\b/i.test(text ?? "");

/** Words that are answered with something to read or choose from, and never with a version of the picture. */
const isAside = (text) => isCommand(text) || /^\s*\/(tree|presets|recipes|mine|cast|taste|withdraw|share|unshare|(?:preset|recipe(?: save\b.*)?)\s*$)/i.test(text ?? "");

/** Whether an answer is a version of the picture: it stands in the tree. */
export const isVersion = (asked) => !isAside(asked?.text) && !ASIDE.has(asked?.press?.act);
