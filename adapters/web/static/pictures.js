// Pictures within messages.

import { el, icon } from "./dom.js";
import { shownOf } from "./lineage.js";
import { isVeiled } from "./veil.js";

const BROAD_PX = 440;
const TALL_PX = 460;
const OWN = 0.7; // what people sent themselves is drawn smaller than what came of it

export const altOf = (image) => image.alt || "A picture";

export function pictures(message, does) {
  const shown = shownOf(message);
  const share = message.author.is_bot ? 1 : OWN;
  const draw = (one) => picture(message, one, does, shown.length > 1 ? `Picture ${one.index + 1} of ${shown.length}. ` : "", share);
  return el("div", { class: shown.length > 1 ? "pictures many" : "pictures" }, shown.map(draw));
}

/** A picture that opens in full. */
export function picture(message, { image, index }, does, name = "", share = 1) {
  const isHidden = isVeiled(image);
  const label = isHidden ? `Show the hidden picture. ${name}` : `Look at it in full: ${name}${altOf(image)}`;
  const frame = el("button", { type: "button", class: "picture", "aria-label": label, onclick: () => (isHidden ? does.unveil(message) : does.look(message, index)) });
  frame.classList.toggle("clear", image.has_alpha !== false);
  frame.classList.toggle("veiled", isHidden);
  if (isHidden) frame.append(el("span", { class: "veil" }, icon("hidden"), "Tap to show"));
  frame.append(el("img", { src: image.url, alt: isHidden ? "A hidden picture" : altOf(image), width: image.width_px, height: image.height_px, loading: "lazy", decoding: "async", draggable: false }));
  shape(frame, image, share);
  return frame;
}

/** A picture in small, for where it is only pointed at. */
export const miniature = (image, props = {}, kind = "") => el("img", { src: image.url, alt: "", class: `${kind} ${isVeiled(image) ? "veiled" : ""}`.trim(), ...props });

/** The room a picture takes is known before it is there, so that nothing jumps. */
export function shape(node, { width_px: width, height_px: height }, share = 1) {
  const scale = Math.min(1, (share * BROAD_PX) / width, (share * TALL_PX) / height);
  node.style.setProperty("--broad", `${Math.max(48, Math.round(width * scale))}px`);
  node.style.setProperty("--ratio", `${width} / ${height}`);
}

export function thumbs(urls) {
  const thumb = (url) => el("img", { src: url, alt: "", onerror: (event) => event.target.replaceWith(icon("file")) });
  return el("div", { class: "thumbs" }, urls.map(thumb));
}
