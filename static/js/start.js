// The start page: who is chosen decides the greeting, the starters, the hint and the accent of the composer.

import { gettext, interpolate } from "./words.js";

const form = document.querySelector("form.start");
const field = form?.querySelector("textarea");

function choose() {
  const choice = form.querySelector("input[name=persona]:checked");
  if (!choice) return;
  for (const part of form.querySelectorAll("[data-brief]")) part.hidden = part.dataset.brief !== choice.value;
  document.getElementById("composer-hint").textContent = choice.dataset.notice;
  field.placeholder = interpolate(gettext("Message %(name)s"), { name: choice.dataset.name });
  form.classList.remove(...[...form.classList].filter((name) => name.startsWith("accent-")));
  form.classList.add(choice.dataset.accent);
}

function fill(starter) {
  const starters = [...form.querySelectorAll("[data-starter]")].map((button) => button.dataset.starter);
  const own = field.value.trim();
  field.value = own && !starters.includes(own) ? `${field.value.trimEnd()}\n${starter}` : starter;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

if (form) {
  choose();
  form.addEventListener("change", (event) => {
    if (event.target.name === "persona") choose();
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-starter]");
    if (button) fill(button.dataset.starter);
  });
}
