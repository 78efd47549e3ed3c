// An album: several pictures in one answer, in order, each as far as it is.

import { about, itemsOf, more } from "./controls.js";
import { el, iconButton } from "./dom.js";
import { FINAL } from "./chat.js";
import { altOf, nameOf, picture } from "./pictures.js";
import { seconds } from "./seconds.js";
import { t, tn } from "./words.js";

/** The panels as a grid. What is to come has its place from the start, so that nothing jumps. */
export function album(message, source, does) {
  const first = message.panels.find(({ image }) => image)?.image ?? source;
  const list = el("ol", { class: "album", "aria-label": tn("{count} picture", "{count} pictures", message.panels.length) }, message.panels.map((panel, index) => cell(message, panel, index, does)));
  list.style.setProperty("--ratio", first ? `${first.width_px} / ${first.height_px}` : "1");
  return list;
}

function cell(message, panel, index, does) {
  const name = nameOf(index, message.panels.length);
  const { image, words, state } = panel;
  const content = image ? picture(message, { image, index }, does, name) : FINAL.has(state) ? missing(panel) : coming(message, panel);
  return el(
    "li",
    { class: `panel ${state}`, data: { index }, "aria-label": image ? t("{name}. {alt}", { name, alt: altOf(image) }) : name },
    content,
    image && words ? el("p", { class: "panel-words", dir: "auto" }, words) : null,
    el(
      "div",
      { class: "panel-tools" },
      el("span", { class: "panel-number", "aria-hidden": "true" }, String(index + 1)),
      image ? iconButton("reply", t("Reply to picture {number}", { number: index + 1 }), () => does.reply(message, index)) : null,
      more([...itemsOf(panel.controls, (control) => does.press(control, message, index)), ...(image ? about(message, does, index) : [])], t("More to do with picture {number}", { number: index + 1 })),
    ),
  );
}

function coming(message, { words, state }) {
  const says = words.replace(/[.…。]+$/, "") || t("On its way");
  return el("div", { class: "panel-room" }, state === "running" ? el("span", { class: "spinner", "aria-hidden": "true" }) : null, el("p", {}, says, state === "running" ? seconds(message) : null));
}

function missing({ words }) {
  return el("div", { class: "panel-room none" }, el("p", { dir: "auto" }, words || t("This one did not come.")));
}
