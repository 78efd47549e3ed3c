// One menu for the whole page, opened beside whichever button asks for it.

import { byId, el } from "./dom.js";
import { t } from "./words.js";

const EDGE_PX = 8;
let opener = null;

/** `items` are {label, note, kind, act}, or {heading, choices: [items]} for some that stand side by side, below
 * the heading where it `isTall`; `isOn` marks the one that holds now. */
export function openMenu(button, label, items) {
  const menu = byId("menu");
  if (opener === button) return closeMenu();
  closeMenu(false);
  opener = button;
  button.setAttribute("aria-expanded", "true");
  menu.setAttribute("aria-label", label);
  menu.replaceChildren(...items.map(drawn));
  menu.showPopover();
  place(menu, button);
  menu.querySelector("button").focus({ preventScroll: true });
}

function closeMenu(isBack = true) {
  const menu = byId("menu");
  const button = opener;
  opener = null;
  button?.setAttribute("aria-expanded", "false");
  if (menu.matches(":popover-open")) menu.hidePopover();
  if (isBack && button?.isConnected) button.focus({ preventScroll: true });
}

function drawn({ label, note, kind = "", act, heading, choices, isTall }) {
  if (!heading) return el("button", { type: "button", role: "menuitem", class: `item ${kind}`.trim(), tabIndex: -1, onclick: () => chosen(act) }, el("span", {}, label), note ? el("small", {}, note) : null);
  const role = ({ isOn }) => (isOn === undefined ? { role: "menuitem" } : { role: "menuitemradio", "aria-checked": String(isOn) });
  const choice = (one) => el("button", { type: "button", ...role(one), class: "choice", tabIndex: -1, "aria-label": t("{heading}: {choice}", { heading, choice: one.label }), onclick: () => chosen(one.act) }, one.label);
  return el("div", { class: isTall ? "item tall" : "item", role: "group", "aria-label": heading }, el("span", { "aria-hidden": "true" }, heading), el("span", { class: "choices" }, choices.map(choice)));
}

function chosen(act) {
  closeMenu();
  act();
}

/** Below the button, or above it where there is no room; never over the edge. */
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const fitsBelow = at.bottom + height + EDGE_PX < innerHeight;
  const left = Math.min(Math.max(EDGE_PX, at.right - width), innerWidth - width - EDGE_PX);
  menu.style.left = `${Math.max(EDGE_PX, left)}px`;
  menu.style.top = `${Math.max(EDGE_PX, fitsBelow ? at.bottom + 4 : at.top - height - 4)}px`;
}

export function prepareMenu() {
  const menu = byId("menu");
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("button")];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") closeMenu();
    else if (to === undefined) return;
    else items.at(to % items.length)?.focus();
    event.preventDefault();
    event.stopPropagation();
  });
  // Before the click reaches the button that opened it: that one closes it by itself.
  document.addEventListener("pointerdown", ({ target }) => opener && !menu.contains(target) && !opener.contains(target) && closeMenu(false), true);
  const follow = () => opener?.isConnected && place(menu, opener);
  addEventListener("resize", follow);
  byId("main").addEventListener("scroll", follow, { passive: true });
}
