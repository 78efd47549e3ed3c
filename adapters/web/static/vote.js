// A vote on two pictures: one press each, changeable until it ends.

import { el } from "./dom.js";
import { t } from "./words.js";

const CHOICES = [
  { choice: "a", label: "A" },
  { choice: "b", label: "B" },
  // TRANSLATORS: a button of a vote between two pictures: neither is better
  { choice: "tie", label: t("Tie") },
  // TRANSLATORS: a button of a vote between two pictures: neither is good
  { choice: "bad", label: t("Both bad") },
];

/** What can be voted, while it is open; to end it only for whoever asked. */
export function vote(message, me, does) {
  if (!message.vote) return null;
  const cast = (choice) => does.vote(message, choice, group);
  const buttons = CHOICES.map(({ choice, label }) => el("button", { type: "button", class: "chip", onclick: () => cast(choice) }, label));
  const isMine = message.credit?.asker.id === me.id;
  const end = isMine ? el("button", { type: "button", class: "quiet-button", onclick: () => cast("end") }, t("End the vote")) : null;
  const group = el("div", { class: "chips vote", role: "group", "aria-label": t("Your vote") }, buttons, end);
  return group;
}
