// Building elements. Words of people only ever become text nodes.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element with properties, listeners (`onclick: …`), `data`, `aria-…` attributes and children (text or nodes). */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name.includes("-") || name === "role") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function iconButton(name, label, onclick, words = "") {
  const kind = words ? "quiet-button" : "icon-button";
  return el("button", { type: "button", class: kind, title: label, "aria-label": label, onclick }, icon(name), words);
}

export const shorten = (text, chars) => (text.length > chars ? `${text.slice(0, chars - 1).trimEnd()}…` : text);

export const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

let speaking;

/** Says something to whoever listens to the page instead of looking at it. */
export function speak(words) {
  clearTimeout(speaking);
  byId("spoken").textContent = "";
  speaking = setTimeout(() => (byId("spoken").textContent = words), 60);
}
