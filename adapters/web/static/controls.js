// What can be pressed under an answer: words to say next, and controls that do what they say.

import { el, icon, iconButton } from "./dom.js";
import { openMenu } from "./menu.js";

const GROUPS = { done: "Ideas for the next step", asking: "Possible answers", refused: "What would work" };
const NOTES = {
  exactly: "Follow my words, change nothing else",
  surprise: "Take some liberties",
  original: "All wishes so far, in one go",
  variations: "Different takes, side by side",
  larger: "The same picture, finer",
  again: "The same words once more",
};

/** Words to go on with. Under a question they are its answers, one below the other. */
export function suggestions(message, does) {
  const isAsking = message.state === "asking";
  const kind = isAsking ? "option" : "chip";
  const say = (words) => el("button", { type: "button", class: kind, dir: "auto", onclick: () => does.say(words, message) }, words);
  const press = (control) => el("button", { type: "button", class: kind, onclick: () => does.press(control, message) }, control.label);
  const all = [...message.suggestions.map(say), ...(isAsking ? message.controls.map(press) : [])];
  if (!all.length) return null;
  return el("div", { class: isAsking ? "options" : "chips", role: "group", "aria-label": GROUPS[message.state] ?? "Suggestions" }, all);
}

/** Beside the line that says what each picture was taken for: one press corrects it. */
export function roleFixes(message, does) {
  const fixes = message.controls.filter(({ act }) => act === "canvas");
  const fix = (control) => el("button", { type: "button", class: "fix", onclick: () => does.press(control, message) }, control.label);
  return fixes.length ? el("span", { class: "fixes", role: "group", "aria-label": "Other roles" }, fixes.map(fix)) : null;
}

/** The most useful control, and the others behind one button. */
export function controls(message, does) {
  if (message.state === "asking") return [];
  const [first, ...rest] = message.controls.filter(({ act }) => act !== "canvas");
  if (!first) return [];
  const isAgain = first.act === "again";
  return [
    el("button", { type: "button", class: "quiet-button first", title: NOTES[first.act] ?? "", "aria-label": first.label, onclick: () => does.press(first, message) }, isAgain ? icon("again") : null, el("span", {}, first.label)),
    more(rest, "More to do with this", (control) => does.press(control, message)),
  ];
}

/** A button that opens a menu of controls; none for none. */
export function more(some, label, press) {
  if (!some.length) return null;
  const items = () => some.map((control) => ({ label: control.label, note: NOTES[control.act], act: () => press(control) }));
  const button = iconButton("more", label, () => openMenu(button, label, items()));
  button.classList.add("more");
  button.setAttribute("aria-haspopup", "menu");
  return button;
}
