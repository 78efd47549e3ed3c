// The question to somebody whose picture another person wants to have edited.

import { el } from "./dom.js";
import { nameOf, saidBy, sourcesOf } from "./lineage.js";
import { miniature } from "./pictures.js";

const SAYS = [
  { say: "once", label: "Once", note: "This one time" },
  { say: "here", label: "Always here", note: "Everybody here" },
  { say: "not_now", label: "Not this time", note: "Leave it alone" },
  { say: "never", label: "Never", note: "Nobody, in any chat" },
];

export const isAsked = (message, me) => message.asks.some(({ id }) => id === me.id);

/** The question with its answers, for one of those who are asked; null for everybody else. */
export function consent(chat, message, me, does) {
  if (!isAsked(message, me)) return null;
  const words = saidBy(chat.get(message.reply_to));
  const others = message.asks.filter(({ id }) => id !== me.id).map(({ name }) => name);
  const answer = ({ say, label, note }) => el("button", { type: "button", class: "option", onclick: () => does.consent(message, say, group) }, el("span", {}, label), el("small", {}, note));
  const group = el("div", { class: "options consent", role: "group", "aria-label": "Your answer" }, SAYS.map(answer));
  const pictures = sourcesOf(chat, message);
  return el(
    "div",
    { class: "asked" },
    pictures.length ? el("div", { class: "asked-pictures" }, pictures.map((image) => miniature(image, { alt: "The picture that is asked about" }))) : null,
    el("p", { class: "text", dir: "auto" }, question(chat, message)),
    words ? el("p", { class: "text wish", dir: "auto" }, `“${words}”`) : null,
    ...message.lines.slice(1).map((line) => el("p", { class: "faint", dir: "auto" }, line)),
    others.length ? el("p", { class: "faint" }, `${others.join(", ")} ${others.length > 1 ? "are" : "is"} asked, too.`) : null,
    group,
  );
}

export function question(chat, message) {
  const id = message.credit?.asker.id ?? chat.get(message.reply_to)?.author.id;
  return `May ${message.credit?.asker.name || nameOf(chat, id) || "somebody"} edit your picture?`;
}
