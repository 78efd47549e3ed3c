// One pair at a time. Words of people and names of models only ever become text nodes.

const byId = (id) => document.getElementById(id);
const places = ["left", "source", "right"];
const keys = { ArrowLeft: "left", ArrowRight: "right", "=": "equal", 0: "neither" };
const CLOSER = 3;

let pair = null;
let since = 0;
let isBusy = true;

function el(tag, name, ...children) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.append(...children);
  return node;
}

const figures = () => places.map(byId).filter((figure) => !figure.hidden);
const pictureOf = (figure) => figure.querySelector("img");

// --- asking

async function ask(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function attempt(work) {
  byId("trouble").hidden = true;
  try {
    await work();
  } catch {
    byId("trouble").textContent = "That did not work. Is the evaluation still running in its terminal? Load this page again.";
    byId("trouble").hidden = false;
  }
}

async function next() {
  const given = await ask("next");
  enlarge(false);
  pair = given.pair;
  byId("pair").hidden = !pair;
  byId("outcome").hidden = Boolean(pair);
  byId("back").hidden = !given.can_take_back;
  if (pair) await show();
  else offer();
}

// --- a pair

async function show() {
  wait(true);
  byId("count").textContent = `${pair.number} of ${pair.of}`;
  byId("kind").textContent = pair.kind;
  byId("instruction").textContent = pair.instruction;
  byId("source").hidden = !pair.has_source;
  byId("pictures").classList.toggle("two", !pair.has_source);
  await Promise.all(figures().map((figure) => load(pictureOf(figure), `pictures/${pair.id}/${figure.id}`)));
  since = performance.now();
  scrollTo(0, 0);
  wait(false);
}

async function load(image, address) {
  image.src = address;
  await image.decode();
  image.style.setProperty("--share", image.naturalWidth / image.naturalHeight);
}

function wait(isOn) {
  isBusy = isOn;
  byId("pictures").classList.toggle("waits", isOn);
  for (const button of byId("verdicts").children) button.disabled = isOn;
}

function judge(choice) {
  if (isBusy || !pair) return;
  wait(true);
  const seconds = (performance.now() - since) / 1000;
  attempt(async () => {
    await ask("verdicts", { pair: pair.id, choice, seconds });
    await next();
  });
}

function takeBack() {
  attempt(async () => {
    await ask("back", {});
    await next();
  });
}

// --- closer: all pictures at once, at the same place

function enlarge(isOn) {
  document.body.classList.toggle("large", isOn);
  byId("close").hidden = !isOn;
  zoom(1);
}

function zoom(scale, x = 0.5, y = 0.5) {
  document.body.classList.toggle("closer", scale > 1);
  for (const figure of figures()) {
    const image = pictureOf(figure);
    image.style.transformOrigin = `${x * 100}% ${y * 100}%`;
    image.style.transform = scale > 1 ? `scale(${scale})` : "";
  }
}

/** Where a pointer stands in the picture as it lies there unzoomed, 0 to 1 each way. */
function spot(event, frame) {
  const { left, top, width, height } = frame.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = frame.querySelector("img");
  const within = (share) => Math.min(1, Math.max(0, share));
  return [
    within((event.clientX - left - (width - offsetWidth) / 2) / offsetWidth),
    within((event.clientY - top - (height - offsetHeight) / 2) / offsetHeight),
  ];
}

const isLarge = () => document.body.classList.contains("large");
const isCloser = () => document.body.classList.contains("closer");

for (const place of places) {
  const frame = byId(place).querySelector(".shown");
  frame.addEventListener("click", (event) => {
    if (!isLarge()) enlarge(true);
    else if (isCloser()) zoom(1);
    else zoom(CLOSER, ...(event.detail ? spot(event, frame) : [0.5, 0.5]));
  });
  frame.addEventListener("pointermove", (event) => isCloser() && zoom(CLOSER, ...spot(event, frame)));
}

// --- the end

function offer() {
  byId("count").textContent = "";
  const button = el("button", "main-button", "Show who was who");
  button.type = "button";
  button.addEventListener("click", () => attempt(async () => reveal(await ask("outcome", {}))));
  byId("outcome").replaceChildren(el("h2", "", "That was the last pair"), el("p", "", "Once the names are shown, verdicts stay as they are."), button);
  button.focus();
}

function reveal({ words, models, kinds }) {
  byId("back").hidden = true;
  const names = models.map((model) => model.name);
  const head = el("tr", "", ...["", ...names, "Equally good", "Both bad"].map((name) => el("th", "", name)));
  const rows = kinds.map((kind) =>
    el("tr", "", el("th", "", kind.name), ...[...kind.wins, kind.equal, kind.neither].map((count) => el("td", "", String(count)))),
  );
  byId("outcome").replaceChildren(
    el("h2", "", "This is who they were"),
    el("p", "result", words),
    el("div", "table", el("table", "", el("thead", "", head), el("tbody", "", ...rows))),
    el("p", "soft", kinds[0].counts),
    el("ul", "kinds", ...kinds.slice(1).map((kind) => el("li", "", el("strong", "", kind.name), ` ${kind.words}`))),
    el("ul", "models", ...models.map((model) => el("li", "", el("strong", "", model.name), ` ${model.words}`))),
    el("p", "soft", "All verdicts are kept in the folder. You can close this page, and stop the evaluation in its terminal."),
  );
}

// --- begin

for (const button of byId("verdicts").children) button.addEventListener("click", () => judge(button.dataset.choice));
byId("back").addEventListener("click", takeBack);
byId("close").addEventListener("click", () => enlarge(false));
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") enlarge(false);
  else if (keys[event.key]) judge(keys[event.key]);
  else return;
  event.preventDefault();
});
attempt(next);
