// The page's JSON interface (docs/page-api.md).

import { t } from "./words.js";

export class Refusal extends Error {
  constructor(status, code, words, waitSeconds) {
    super(words);
    Object.assign(this, { status, code, waitSeconds });
  }

  /** Whether the same request may succeed later. */
  get passes() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

const UNREACHABLE = t("I can't reach Remixbot right now.");

/** Server time minus ours, in milliseconds. */
export let skew = 0;

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
  } catch {
    throw new Refusal(0, "unreachable", UNREACHABLE, null);
  }
  const date = Date.parse(response.headers.get("Date") ?? "");
  if (date) skew = Math.abs(date - Date.now()) > 2000 ? date - Date.now() : 0;
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw refusal(response.status, body, response.headers.get("Retry-After"));
}

function refusal(status, body, retryAfter) {
  const { code = "unknown", message = t("Something went wrong. Please try again.") } = body.error ?? {};
  return new Refusal(status, code, message, Number(retryAfter) || null);
}

const json = (method, content) => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(content),
});

export const session = () => ask("/api/session");
export const signIn = (password, name) => ask("/api/session", json("POST", { password, name }));
/** Comes in by an invitation. Gives words for whoever sent its code. */
export const join = (code) => ask("/api/join", json("POST", { code }));
export const signOut = () => ask("/api/session", { method: "DELETE" });

export class Interface {
  constructor(chat) {
    this.root = `/api/chats/${chat}`;
  }

  messages(before) {
    return ask(`${this.root}/messages?limit=40${before ? `&before=${encodeURIComponent(before)}` : ""}`);
  }

  message(id) {
    return ask(`${this.root}/messages/${encodeURIComponent(id)}`);
  }

  thread(id) {
    return ask(`${this.root}/threads/${encodeURIComponent(id)}`);
  }

  cancel(turn) {
    return ask(`${this.root}/turns/${encodeURIComponent(turn)}/cancel`, { method: "POST" });
  }

  /** Gives words for whoever answered. */
  consent(turn, say) {
    return ask(`${this.root}/turns/${encodeURIComponent(turn)}/consent`, json("POST", { say }));
  }

  /** `choice` is a, b, tie, bad, or end. Gives words for whoever voted. */
  vote(turn, choice) {
    return ask(`${this.root}/turns/${encodeURIComponent(turn)}/vote`, json("POST", { choice }));
  }

  info(id, index = null) {
    return ask(`${this.root}/messages/${encodeURIComponent(id)}/info${index === null ? "" : `?index=${index}`}`);
  }

  remove(id) {
    return ask(`${this.root}/messages/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  /** What holds for one's own pictures. */
  standing() {
    return ask(`${this.root}/standing`);
  }

  /** Why whoever asks is not let in here; empty where they are. */
  door() {
    return ask(`${this.root}/door`);
  }

  stand(standing) {
    return ask(`${this.root}/standing`, json("PUT", { standing }));
  }

  /** Post a message. The key makes it repeatable. `onProgress` is told the share that has been sent, 0 to 1. */
  post({ key, text, replyTo, index, press, files, voice }, onProgress) {
    const form = new FormData();
    form.append("text", text);
    if (replyTo) form.append("reply_to", replyTo);
    if (replyTo && index !== null) form.append("reply_index", index);
    if (press) form.append("act", press.act);
    if (press?.argument) form.append("argument", press.argument);
    if (voice) form.append("voice", voice.file, "voice.wav");
    for (const file of files) form.append("image", file, file.name || "picture");
    const request = new XMLHttpRequest();
    request.open("POST", `${this.root}/messages`);
    request.setRequestHeader("Idempotency-Key", key);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    return new Promise((resolve, reject) => {
      request.onload = () => {
        if (request.status === 202 && request.response) resolve(request.response);
        else reject(refusal(request.status, request.response ?? {}, request.getResponseHeader("Retry-After")));
      };
      request.onerror = request.onabort = () => reject(new Refusal(0, "unreachable", UNREACHABLE, null));
      request.send(form);
    });
  }
}
