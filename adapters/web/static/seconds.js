// Seconds that run while something is being made.

import { skew } from "./api.js";
import { el } from "./dom.js";
import { t } from "./words.js";

export function seconds(message) {
  const node = el("span", { class: "seconds", data: { since: message.started_at ?? message.created_at } });
  tick(node);
  return node;
}

/** Brings the running seconds of a placeholder up to date. */
export function tick(node) {
  const passed = Math.max(0, Math.floor((Date.now() + skew) / 1000 - Number(node.dataset.since)));
  // TRANSLATORS: how long it takes so far: seconds, or minutes and seconds, as short as can be
  const time = passed < 60 ? t("{seconds} s", { seconds: passed }) : t("{minutes} min {seconds} s", { minutes: Math.floor(passed / 60), seconds: passed % 60 });
  node.textContent = ` · ${time}`;
}
