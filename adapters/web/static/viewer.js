// A picture in full, with the picture before it one press away.

import { byId, el } from "./dom.js";
import { nameOf } from "./pictures.js";
import { isVeiled } from "./veil.js";
import { beforeOf, countOf, isAlike, partsOf, placesOf, saidBy, shownOf } from "./lineage.js";
import { t } from "./words.js";

const shapeOf = (image) => image.width_px / image.height_px;

export class Viewer {
  constructor(chat, onReply) {
    this.chat = chat;
    this.dialog = byId("viewer");
    // On the document: when a focused button goes away with its picture, the focus is nowhere in the dialog.
    document.addEventListener("keydown", (event) => this.dialog.open && this.#key(event));
    document.addEventListener("keyup", (event) => event.key.toLowerCase() === "b" && this.#hold(false));
    this.dialog.addEventListener("click", (event) => event.target === byId("stage") && this.dialog.close());
    byId("previous").onclick = () => this.#walk(-1);
    byId("next").onclick = () => this.#walk(1);
    byId("viewer-reply").onclick = () => {
      this.dialog.close();
      onReply(this.message, countOf(this.message) > 1 ? this.index : null);
    };
    byId("compare").onclick = () => this.#slide(byId("compare").getAttribute("aria-pressed") !== "true");
    const hold = byId("hold");
    hold.addEventListener("pointerdown", (event) => {
      hold.setPointerCapture(event.pointerId);
      this.#hold(true);
    });
    for (const end of ["pointerup", "pointercancel", "blur"]) hold.addEventListener(end, () => this.#hold(false));
    hold.addEventListener("keydown", (event) => event.key === " " && this.#hold(true));
    hold.addEventListener("keyup", (event) => event.key === " " && this.#hold(false));
    hold.addEventListener("contextmenu", (event) => event.preventDefault());
    this.#swipes();
  }

  /** `index` is the picture's own, as a reply to it would say. */
  open(message, index = 0, compare = false) {
    this.message = message;
    this.index = index;
    this.#show(compare);
    if (!this.dialog.open) this.dialog.showModal();
  }

  #show(compare = false) {
    const shown = shownOf(this.message);
    const { image, words } = shown.find(({ index }) => index === this.index) ?? shown[0];
    const before = this.message.author.is_bot ? beforeOf(this.chat, this.message, image) : null;
    this.before = before && !isVeiled(before) ? before : null;
    const frame = el("div", { class: "frame" }, el("img", { class: "full", src: image.url, alt: image.alt }));
    frame.style.setProperty("--ratio", `${image.width_px} / ${image.height_px}`);
    frame.style.setProperty("--width", `${image.width_px}px`);
    frame.style.setProperty("--share", shapeOf(image));
    if (this.before) frame.append(el("img", { class: "over", src: this.before.url, alt: t("The picture before") }));
    byId("stage").replaceChildren(frame);
    frame.classList.toggle("clear", image.has_alpha !== false);
    const slides = isAlike(image, this.before);
    byId("hold").hidden = !this.before || slides;
    byId("compare").hidden = !slides;
    this.#slide(compare && slides);
    byId("download").href = `${image.url}?download=1`;
    this.#caption(image, words);
    const all = this.#all();
    const at = this.#at(all);
    byId("previous").disabled = at <= 0;
    byId("next").disabled = at >= all.length - 1;
  }

  /** The picture before lies over the picture. Where both have one shape, a slider shows more or less of it. */
  #slide(isOn) {
    const frame = byId("stage").firstChild;
    byId("compare").setAttribute("aria-pressed", String(isOn));
    frame.classList.toggle("slides", isOn);
    frame.querySelectorAll(".divider, .slider, .tag").forEach((node) => node.remove());
    if (!isOn) return;
    const slider = el("input", { type: "range", min: 0, max: 100, value: 50, class: "slider", "aria-label": t("How much of the picture before to show") });
    const slide = () => frame.style.setProperty("--shown", `${slider.value}%`);
    slider.addEventListener("input", slide);
    slide();
    frame.append(el("span", { class: "divider", "aria-hidden": "true" }), slider, el("span", { class: "tag left" }, t("Before")), el("span", { class: "tag right" }, t("After")));
  }

  #caption(image, own) {
    const { label, words } = partsOf(this.message);
    const asked = saidBy(this.message.author.is_bot ? this.chat.get(this.message.reply_to) : this.message);
    const count = placesOf(this.message);
    const place = count > 1 ? nameOf(this.index, count) : "";
    const size = `${image.width_px} × ${image.height_px}`;
    const also = this.message.author.is_bot && !this.message.panels.length ? words.replaceAll("\n", " ") : "";
    byId("caption").replaceChildren(el("strong", { dir: "auto" }, own || asked || t("A picture")), el("span", {}, [place, label, size, also].filter(Boolean).join(" · ")));
  }

  #hold(isHeld) {
    byId("stage").firstChild?.classList.toggle("held", isHeld && Boolean(this.before));
  }

  #all() {
    return this.chat.listed.flatMap((message) => shownOf(message).filter(({ image }) => !isVeiled(image)).map(({ index }) => ({ message, index })));
  }

  #at(all) {
    return all.findIndex((one) => one.message.id === this.message.id && one.index === this.index);
  }

  #walk(step) {
    const all = this.#all();
    const to = all[this.#at(all) + step];
    if (to) this.open(to.message, to.index);
  }

  #key(event) {
    const isSliding = event.target.classList.contains("slider");
    if (event.key === "ArrowLeft" && !isSliding) this.#walk(-1);
    else if (event.key === "ArrowRight" && !isSliding) this.#walk(1);
    else if (event.key.toLowerCase() === "b") this.#hold(true);
    else if (event.key.toLowerCase() === "r" && !event.metaKey && !event.ctrlKey) byId("viewer-reply").click();
    else return;
    event.preventDefault();
  }

  #swipes() {
    let from = null;
    const stage = byId("stage");
    stage.addEventListener("touchstart", (event) => {
      const { target, touches } = event;
      from = touches.length === 1 && !target.classList.contains("slider") ? [touches[0].clientX, touches[0].clientY] : null;
    }, { passive: true });
    stage.addEventListener("touchend", (event) => {
      if (!from) return;
      const [x, y] = [event.changedTouches[0].clientX - from[0], event.changedTouches[0].clientY - from[1]];
      if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) this.#walk(x > 0 ? -1 : 1);
    });
  }
}
