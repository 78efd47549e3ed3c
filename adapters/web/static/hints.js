// What can follow a "/": a list above the words, to choose from by keyboard or tap.

import { byId, el } from "./dom.js";
import { t } from "./words.js";

const COMMANDS = [
  { name: "imagine", note: t("A picture from words alone"), drawn: true },
  { name: "explain", note: t("An answer, drawn if it helps"), drawn: true },
  { name: "story", note: t("A story in pictures"), drawn: true },
  { name: "variations", note: t("Several takes at once"), drawn: true },
  { name: "arena", note: t("Two results to vote on, blind"), drawn: true },
  { name: "leaderboard", note: t("Which models won the votes"), isWhole: true },
  { name: "usage", note: t("What was used today"), isWhole: true },
  { name: "settings", note: t("What is on in this chat"), isWhole: true },
  { name: "help", note: t("What I can do"), isWhole: true },
];

export class Hints {
  /** `onChoose(text, isWhole)`: put this in place of what is written; send it where it is whole. */
  constructor(words, draws, onChoose) {
    this.words = words;
    this.commands = COMMANDS.filter((command) => draws || !command.drawn);
    this.onChoose = onChoose;
    this.list = byId("hints");
    this.at = 0;
    words.setAttribute("aria-controls", "hints");
    words.setAttribute("aria-autocomplete", "list");
    words.addEventListener("blur", () => this.#hide());
    this.#hide();
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** Show what fits to what is written so far. */
  show() {
    const typed = /^\/(\w*)$/.exec(this.words.value)?.[1].toLowerCase();
    this.found = typed === undefined ? [] : this.commands.filter(({ name }) => name.startsWith(typed));
    if (!this.found.length) return this.#hide();
    this.at = 0;
    this.list.hidden = false;
    this.list.replaceChildren(...this.found.map((command, index) => this.#item(command, index)));
    this.#mark();
  }

  /** Whether the key was meant for the list. */
  takes(event) {
    if (!this.isOpen || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isSame = this.words.value.slice(1).toLowerCase() === this.found[this.at].name;
    if (step) {
      this.at = (this.at + step + this.found.length) % this.found.length;
      this.#mark();
    } else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !(isSame && this.found[this.at].isWhole))) this.#choose(this.found[this.at]);
    else if (event.key === "Escape") this.#hide();
    else return false;
    event.preventDefault();
    return true;
  }

  #item(command, index) {
    // Before the blur, which would take the list away from under the finger.
    const hold = (event) => event.preventDefault();
    return el("li", { id: `hint-${index}`, role: "option", onpointerdown: hold, onmousedown: hold, onclick: () => this.#choose(command) }, el("strong", {}, `/${command.name}`), el("span", {}, command.note));
  }

  #choose(command) {
    this.#hide();
    this.onChoose(`/${command.name}${command.isWhole ? "" : " "}`, command.isWhole ?? false);
  }

  #mark() {
    [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === this.at)));
    this.words.setAttribute("aria-activedescendant", `hint-${this.at}`);
    this.list.children[this.at].scrollIntoView({ block: "nearest" });
  }

  #hide() {
    this.list.hidden = true;
    this.words.removeAttribute("aria-activedescendant");
  }
}
