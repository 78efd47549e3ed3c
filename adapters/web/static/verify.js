// Sends the file as soon as it is there. Without this the button does it.

const form = document.querySelector("form");
const input = form.querySelector("input");
const drop = form.querySelector(".drop");
const words = drop.querySelector("strong");
const asked = words.textContent;

function send() {
  if (!input.files.length || drop.classList.contains("busy")) return;
  drop.classList.add("busy");
  words.textContent = words.dataset.looking;
  form.requestSubmit();
}

form.classList.add("scripted");
input.addEventListener("change", send);
drop.addEventListener("dragover", () => drop.classList.add("over"));
drop.addEventListener("dragleave", () => drop.classList.remove("over"));

// Dropped beside the place, a picture would be opened in place of this page.
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  send();
});

// Whoever comes back by the browser's own button finds the place as it was.
window.addEventListener("pageshow", () => {
  drop.classList.remove("busy");
  words.textContent = asked;
  form.reset();
});
