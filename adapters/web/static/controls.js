// What can be pressed under an answer: words to say next, and controls that do what they say.

import { el, icon, iconButton } from "./dom.js";
import { openMenu } from "./menu.js";
import { t } from "./words.js";

const GROUPS = { done: t("Ideas for the next step"), asking: t("Possible answers"), refused: t("What would work") };
const ICONS = { again: "again", undo: "undo" };
const NOTES = {
  exactly: t("Follow my words, change nothing else"),
  surprise: t("Take some liberties"),
  original: t("All wishes so far, in one go"),
  variations: t("Different takes, side by side"),
  larger: t("The same picture, finer"),
  again: t("The same words once more"),
  undo: t("A step back, to how it was before"),
};

const ANSWERS = new Set(["share", "withdraw", "mine"]);
const ON_OFFER = new Set(["preset", "recipe", "go"]);

/** Whether something is to be answered: by one of a few words, each to be seen at once. */
function isToBeAnswered(message) {
  return message.state === "asking" || message.controls.some(({ act }) => ANSWERS.has(act));
}

/** Words to go on with. Under a question they are its answers, one below the other. */
export function suggestions(message, does) {
  const isAsking = isToBeAnswered(message);
  const kind = isAsking ? "option" : "chip";
  const say = (words) => el("button", { type: "button", class: kind, dir: "auto", onclick: () => does.say(words, message) }, words);
  const press = (control) => el("button", { type: "button", class: kind, onclick: () => does.press(control, message) }, control.label);
  const all = [...message.suggestions.map(say), ...message.controls.filter(({ act }) => isAsking || ON_OFFER.has(act)).map(press)];
  if (!all.length) return null;
  return el("div", { class: isAsking ? "options" : "chips", role: "group", "aria-label": GROUPS[message.state] ?? t("Suggestions") }, all);
}

/** Beside the line that says what each picture was taken for: one press corrects it. */
export function roleFixes(message, does) {
  const fixes = message.controls.filter(({ act }) => act === "canvas");
  const fix = (control) => el("button", { type: "button", class: "fix", onclick: () => does.press(control, message) }, control.label);
  return fixes.length ? el("span", { class: "fixes", role: "group", "aria-label": t("Other roles") }, fixes.map(fix)) : null;
}

/** The most useful control, and the others behind one button, with `also` below them. */
export function controls(message, does, also = []) {
  if (isToBeAnswered(message)) return [];
  const [first, ...rest] = message.controls.filter(({ act }) => act !== "canvas" && !ON_OFFER.has(act));
  const press = (control) => does.press(control, message);
  const symbol = ICONS[first?.act];
  return [
    first ? el("button", { type: "button", class: "quiet-button first", title: NOTES[first.act] ?? "", "aria-label": first.label, onclick: () => press(first) }, symbol ? icon(symbol) : null, el("span", {}, first.label)) : null,
    more([...itemsOf(rest, press), ...also], t("More to do with this")),
  ];
}

/** Controls as items of a menu. */
export const itemsOf = (some, press) => some.map((control) => ({ label: control.label, note: NOTES[control.act], act: () => press(control) }));

/** What can be done with every result: of one picture of several, with its `index`. */
export function about(message, does, index = null) {
  const isAll = index === null;
  const info = { label: t("Info"), note: t("What it is, and how it was made"), kind: "after", act: () => does.info(message, index) };
  const remove = { label: message.images.length > 1 ? t("Delete all") : t("Delete"), note: t("For everybody here"), kind: "harm", act: () => does.remove(message) };
  return isAll && does.owns(message) ? [info, remove] : [info];
}

/** A button that opens a menu; none for none. */
export function more(items, label) {
  if (!items.length) return null;
  const button = iconButton("more", label, () => openMenu(button, label, items));
  button.classList.add("more");
  button.setAttribute("aria-haspopup", "menu");
  return button;
}
