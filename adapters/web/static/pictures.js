// Pictures within messages.

import { el, icon } from "./dom.js";
import { shownOf } from "./lineage.js";
import { isVeiled } from "./veil.js";
import { t } from "./words.js";

const BROAD_PX = 440;
const TALL_PX = 460;
const SHEET_PX = 1200; // of what is drawn to be read: a tree, the presets
const OWN = 0.7; // what people sent themselves is drawn smaller than what came of it

export const altOf = (image) => image.alt || t("A picture");

export function pictures(message, does) {
  const shown = shownOf(message);
  const share = message.author.is_bot ? 1 : OWN;
  const draw = (one) => picture(message, one, does, shown.length > 1 ? nameOf(one.index, shown.length) : "", share);
  return el("div", { class: shown.length > 1 ? "pictures many" : "pictures" }, shown.map(draw));
}

/** Which of several it is. */
export const nameOf = (index, count) => t("Picture {number} of {count}", { number: index + 1, count });

function labelOf(isHidden, name, alt) {
  if (isHidden) return name ? t("Show the hidden picture. {name}.", { name }) : t("Show the hidden picture.");
  return name ? t("Look at it in full: {name}. {alt}", { name, alt }) : t("Look at it in full: {alt}", { alt });
}

/** A picture that opens in full; `name` says which of several it is. */
export function picture(message, { image, index }, does, name = "", share = 1) {
  const isHidden = isVeiled(image);
  const label = labelOf(isHidden, name, altOf(image));
  const frame = el("button", { type: "button", class: "picture", "aria-label": label, onclick: () => (isHidden ? does.unveil(message) : does.look(message, index)) });
  frame.classList.toggle("clear", image.has_alpha !== false);
  frame.classList.toggle("veiled", isHidden);
  if (isHidden) frame.append(el("span", { class: "veil" }, icon("hidden"), t("Tap to show")));
  frame.append(el("img", { src: image.url, alt: isHidden ? t("A hidden picture") : altOf(image), width: image.width_px, height: image.height_px, loading: "lazy", decoding: "async", draggable: false }));
  shape(frame, image, share, message.controls.some(({ act }) => act === "preset" || act === "go") ? SHEET_PX : TALL_PX);
  return frame;
}

/** A picture in small, for where it is only pointed at. */
export const miniature = (image, props = {}, kind = "") => el("img", { src: image.url, alt: "", class: `${kind} ${isVeiled(image) ? "veiled" : ""}`.trim(), ...props });

/** The room a picture takes is known before it is there, so that nothing jumps. */
export function shape(node, { width_px: width, height_px: height }, share = 1, tallest = TALL_PX) {
  const scale = Math.min(1, (share * BROAD_PX) / width, (share * tallest) / height);
  node.style.setProperty("--broad", `${Math.max(48, Math.round(width * scale))}px`);
  node.style.setProperty("--ratio", `${width} / ${height}`);
}

export function thumbs(urls) {
  const thumb = (url) => el("img", { src: url, alt: "", onerror: (event) => event.target.replaceWith(icon("file")) });
  return el("div", { class: "thumbs" }, urls.map(thumb));
}
