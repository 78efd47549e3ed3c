// The question to somebody whose picture another person wants to have edited.

import { el } from "./dom.js";
import { nameOf, saidBy, sourcesOf } from "./lineage.js";
import { miniature } from "./pictures.js";
import { listed, t, tn } from "./words.js";

const SAYS = [
  // TRANSLATORS: a button that answers "May Anna edit your picture?", with what it means below; two of them side by side on a phone
  { say: "once", label: t("Once"), note: t("This one time") },
  // TRANSLATORS: a button that answers "May Anna edit your picture?", with what it means below; two of them side by side on a phone
  { say: "here", label: t("Always here"), note: t("Everybody here") },
  // TRANSLATORS: a button that answers "May Anna edit your picture?", with what it means below; two of them side by side on a phone
  { say: "not_now", label: t("Not this time"), note: t("Leave it alone") },
  // TRANSLATORS: a button that answers "May Anna edit your picture?", with what it means below; two of them side by side on a phone
  { say: "never", label: t("Never"), note: t("Nobody, in any chat") },
];

export const isAsked = (message, me) => message.asks.some(({ id }) => id === me.id);

/** The question with its answers, for one of those who are asked; null for everybody else. */
export function consent(chat, message, me, does) {
  if (!isAsked(message, me)) return null;
  const words = saidBy(chat.get(message.reply_to));
  const others = message.asks.filter(({ id }) => id !== me.id).map(({ name }) => name);
  const answer = ({ say, label, note }) => el("button", { type: "button", class: "option", onclick: () => does.consent(message, say, group) }, el("span", {}, label), el("small", {}, note));
  const group = el("div", { class: "options consent", role: "group", "aria-label": t("Your answer") }, SAYS.map(answer));
  const pictures = sourcesOf(chat, message);
  return el(
    "div",
    { class: "asked" },
    pictures.length ? el("div", { class: "asked-pictures" }, pictures.map((image) => miniature(image, { alt: t("The picture that is asked about") }))) : null,
    el("p", { class: "text", dir: "auto" }, question(chat, message)),
    words ? el("p", { class: "text wish", dir: "auto" }, t("“{words}”", { words })) : null,
    ...message.lines.slice(1).map((line) => el("p", { class: "faint", dir: "auto" }, line)),
    others.length ? el("p", { class: "faint" }, tn("{names} is asked, too.", "{names} are asked, too.", others.length, { names: listed(others) })) : null,
    group,
  );
}

export function question(chat, message) {
  const id = message.credit?.asker.id ?? chat.get(message.reply_to)?.author.id;
  const name = message.credit?.asker.name || nameOf(chat, id);
  return name ? t("May {name} edit your picture?", { name }) : t("May somebody edit your picture?");
}
