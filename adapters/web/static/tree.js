// All versions of a picture: what it began with, and every branch that grew from it.

import { byId, el, icon } from "./dom.js";
import { countOf, isVersion, picturesOf, saidBy, threadAround } from "./lineage.js";
import { miniature } from "./pictures.js";
import { t, tn } from "./words.js";

const DEEPEST = 50; // asides upon asides

export class Tree {
  constructor(chat, onJump) {
    this.chat = chat;
    this.onJump = onJump;
    this.dialog = byId("tree");
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  async open(message) {
    const thread = threadAround(this.chat, message);
    if (!thread) return;
    const { messages } = await this.chat.api.thread(thread);
    messages.forEach((one) => this.chat.known.has(one.id) || this.chat.keep(one));
    const roots = grow(messages);
    byId("branches").replaceChildren(branch(roots, (node) => this.#node(node, message)));
    if (!this.dialog.open) this.dialog.showModal();
    byId("branches").querySelector("[aria-current]")?.scrollIntoView({ block: "center" });
  }

  #node({ message, asked }, current) {
    const picture = picturesOf(this.chat, message)[0];
    const isOwn = message.images.length > 0;
    const thumb = picture ? miniature(picture, { loading: "lazy" }, isOwn ? "" : "dim") : el("span", { class: "no-thumb" }, icon("file"));
    const words = message.author.is_bot ? saidBy(asked) || t("No words") : t("The beginning");
    const count = countOf(message);
    const state = message.author.is_bot && message.state !== "done" ? NOTES[message.state] : count > 1 ? tn("{count} picture", "{count} pictures", count) : null;
    const jump = () => {
      this.dialog.close();
      this.onJump(message.id);
    };
    return el(
      "button",
      { type: "button", class: "version", "aria-current": message.id === current.id ? "true" : null, onclick: jump },
      thumb,
      el("span", { class: "version-words" }, el("span", { dir: "auto" }, words), state ? el("small", {}, state) : null),
    );
  }
}

const NOTES = {
  // TRANSLATORS: stands small below a version that shows no picture: its state
  accepted: t("on its way"),
  // TRANSLATORS: stands small below a version that shows no picture: its state
  waiting: t("waiting"),
  // TRANSLATORS: stands small below a version that shows no picture: its state
  running: t("working on it"),
  // TRANSLATORS: stands small below a version that shows no picture: its state
  asking: t("asks back"),
  // TRANSLATORS: stands small below a version that shows no picture: its state
  refused: t("not possible"),
  // TRANSLATORS: stands small below a version that shows no picture: its state
  failed: t("didn't work"),
  // TRANSLATORS: stands small below a version that shows no picture: its state
  cancelled: t("cancelled"),
};

/** Nodes are answers, and people's pictures that something grew from: {message, asked, children}. */
function grow(messages) {
  const byName = new Map(messages.map((message) => [message.id, message]));
  const nodes = new Map();
  const roots = [];
  const nodeOf = (message, asked = null) => {
    if (!nodes.has(message.id)) nodes.set(message.id, { message, asked, children: [] });
    return nodes.get(message.id);
  };
  for (const message of messages) {
    if (!message.author.is_bot) continue;
    const asked = byName.get(message.reply_to);
    if (!isVersion(asked)) continue;
    const node = nodeOf(message, asked);
    const parent = versionAbove(byName, asked) ?? (asked?.images.length ? asked : null);
    if (!parent) roots.push(node);
    else {
      const isNew = !nodes.has(parent.id);
      const above = nodeOf(parent);
      above.children.push(node);
      if (isNew) roots.push(above);
    }
  }
  return roots;
}

/** What was replied to; where that is a list or a drawn tree, what that one was asked about. */
function versionAbove(byName, asked) {
  let parent = byName.get(asked?.reply_to);
  for (let steps = 0; parent?.author.is_bot && steps < DEEPEST; steps += 1) {
    const said = byName.get(parent.reply_to);
    if (isVersion(said)) return parent;
    parent = byName.get(said?.reply_to);
  }
  return parent;
}

/** One child goes on straight below; several begin a branch each. */
function branch(nodes, draw) {
  const list = el("ul", { class: "branch" });
  for (let node of nodes) {
    const item = el("li", {}, draw(node));
    while (node.children.length === 1) {
      [node] = node.children;
      item.append(draw(node));
    }
    if (node.children.length) item.append(branch(node.children, draw));
    list.append(item);
  }
  return list;
}
