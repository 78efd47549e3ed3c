// A small window for words, or for one question.

import { byId, el } from "./dom.js";
import { t } from "./words.js";

export function prepareSheet() {
  const sheet = byId("sheet");
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
}

/** Tells something that is to be read at leisure. */
export const tell = (title, words) => open(title, words, [{ label: t("Close"), kind: "main-button" }]);

/** Asks before something that can't be undone; whether it was meant. */
export const ask = async (title, words, yes) => (await open(title, words, [{ label: t("Keep it"), kind: "quiet-button" }, { label: yes, kind: "main-button harm", value: "yes" }])) === "yes";

function open(title, words, buttons) {
  const sheet = byId("sheet");
  const close = ({ label, kind, value = "" }) => el("button", { type: "button", class: kind, onclick: () => sheet.close(value) }, label);
  byId("sheet-title").textContent = title;
  byId("sheet-words").textContent = words;
  byId("sheet-buttons").replaceChildren(...buttons.map(close));
  sheet.returnValue = "";
  sheet.showModal();
  byId("sheet-buttons").firstChild.focus();
  return new Promise((resolve) => sheet.addEventListener("close", () => resolve(sheet.returnValue), { once: true }));
}
