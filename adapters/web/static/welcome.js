// The first visit: a place to drop a picture, and pictures with things to try for who has none at hand.

import { byId, el, icon } from "./dom.js";
import { t } from "./words.js";

const SAMPLES = [
  // TRANSLATORS: the name of a sample picture, and words that can be pressed to try them on it: then they are said as somebody's own
  { file: "cat.jpg", name: t("A cat"), tries: [t("make it black and white"), t("crop to a circle"), t("write \"MONDAY\" at the bottom")] },
  // TRANSLATORS: the name of a sample picture, and words that can be pressed to try them on it: then they are said as somebody's own
  { file: "coffee.jpg", name: t("A cup of coffee"), tries: [t("make it warmer and add a white border"), t("crop to a square and round the corners"), t("sepia")] },
  // TRANSLATORS: the name of a sample picture, and words that can be pressed to try them on it: then they are said as somebody's own
  { file: "astronaut.jpg", name: t("An astronaut"), tries: [t("turn it into a sticker"), t("crop to 4:5 and make it black and white"), t("flip it and make it sepia")] },
  // TRANSLATORS: the name of a sample picture, and words that can be pressed to try them on it: then they are said as somebody's own
  { file: "rocket.jpg", name: t("A rocket"), tries: [t("rotate 90 degrees"), t("make it 30% brighter and more colourful"), t("write \"lift-off\" at the top in white")] },
];

// TRANSLATORS: can be pressed: then it is said as somebody's own words, and drawn
const DRAWING = t("draw a fox in the snow, in watercolour");

export class Welcome {
  /** `onTry(file, words)` sends a sample picture with words; without `file`, where the core `draws`, words alone. */
  constructor(onTry, draws) {
    this.onTry = onTry;
    this.draws = draws;
    this.place = byId("welcome");
    this.chosen = SAMPLES[0];
  }

  show(isShown) {
    if (this.place.hidden !== isShown) return;
    this.place.hidden = !isShown;
    if (isShown) this.#draw();
  }

  #draw() {
    const isTouched = matchMedia("(hover: none)").matches;
    const choose = el(
      "button",
      { type: "button", class: "drop-zone", onclick: () => byId("files").click() },
      icon("add"),
      el("strong", {}, isTouched ? t("Choose a photo") : t("Drop a photo here")),
      el("span", {}, isTouched ? t("or take a new one") : t("or click to choose one. Pasting works too.")),
    );
    this.tiles = el("div", { class: "samples", role: "group", "aria-label": t("Sample pictures") }, SAMPLES.map((sample) => this.#tile(sample)));
    this.chips = el("div", { class: "chips", role: "group", "aria-label": t("Things to try") });
    this.place.replaceChildren(
      el("h2", { id: "welcome-title" }, t("Reply to a picture with what you want changed")),
      choose,
      el("p", { class: "or" }, t("No photo at hand? Pick one of these, then tap what to do with it.")),
      this.tiles,
      this.chips,
      this.draws ? this.#drawing() : "",
      // TRANSLATORS: a small link to a page on which people find out where a picture comes from
      el("p", { class: "or" }, el("a", { href: "/verify" }, t("Where does this picture come from?"))),
    );
    this.#choose(this.chosen);
  }

  #drawing() {
    const chip = el("button", { type: "button", class: "chip", onclick: () => this.onTry(null, DRAWING) }, DRAWING);
    return el("div", { class: "chips drawing", role: "group", "aria-label": t("Draw from words") }, el("span", {}, t("Or from words alone:")), chip);
  }

  #tile(sample) {
    const picture = el("img", { src: `/static/samples/${sample.file}`, alt: sample.name, width: 160, height: 120 });
    return el("button", { type: "button", class: "sample", data: { file: sample.file }, onclick: () => this.#choose(sample) }, picture);
  }

  #choose(sample) {
    this.chosen = sample;
    for (const tile of this.tiles.children) tile.setAttribute("aria-pressed", String(tile.dataset.file === sample.file));
    this.chips.replaceChildren(...sample.tries.map((words) => el("button", { type: "button", class: "chip", onclick: () => this.#try(sample, words) }, words)));
  }

  async #try(sample, words) {
    const response = await fetch(`/static/samples/${sample.file}`);
    const pixels = await response.blob();
    this.onTry(new File([pixels], sample.file, { type: "image/jpeg" }), words);
  }
}
