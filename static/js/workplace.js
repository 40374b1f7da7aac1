// A conversation under review: the keys, the sign that the reviewer is at work, and what is typed but not yet saved.

import { gettext } from "./words.js";

const desk = document.getElementById("desk");
const answers = [...document.querySelectorAll("[data-answer]")];
const renewing = document.getElementById("renewing");
const keys = document.getElementById("keys");
const AT_WORK = 60_000;

function say(sentence) {
  document.getElementById("desk-sentence").textContent = sentence;
}

// -- The current answer: one of them can be reached by Tab, the others from it.

function current() {
  return document.querySelector("[data-current]");
}

function make(answer, { focus = false } = {}) {
  for (const each of answers) {
    each.toggleAttribute("data-current", each === answer);
    each.querySelector("article").tabIndex = each === answer ? 0 : -1;
  }
  if (!focus) return;
  const article = answer.querySelector("article");
  article.focus({ preventScroll: true });
  article.scrollIntoView({ block: "start" });
}

function step(by) {
  const at = answers.indexOf(current());
  const next = answers[Math.min(Math.max(at + by, 0), answers.length - 1)];
  if (next) make(next, { focus: true });
}

document.addEventListener("focusin", ({ target }) => {
  const answer = target.closest("[data-answer]");
  if (answer && answer !== current()) make(answer);
});

function at(hash) {
  return document.getElementById(hash.slice(1))?.closest("[data-answer]");
}

// With a claim of one's own the keys go on at once, at the answer that was asked for or that the entry is about.
const about = [...document.querySelectorAll(".desk-reasons a")].map((link) => at(link.hash)).find(Boolean);
const asked = at(location.hash);
if (answers.length) make(asked ?? (renewing && about) ?? answers[0]);
if (renewing) current()?.querySelector("article").focus({ preventScroll: Boolean(asked) });

// -- The keys

function press(selector, inside = document) {
  inside?.querySelector(selector)?.click();
}

function correct() {
  const correction = current()?.querySelector("[data-correction]");
  if (!correction) return;
  correction.open = true;
  correction.querySelector("textarea").focus();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  c: correct,
  n: () => press('[data-key="n"]'),
  p: () => press('[data-key="p"]'),
  "?": () => keys.showModal(),
};

// Out of a field with Escape: leaving one saves it, or keeps what stands in it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
  if (!event.target.closest(".desk-panel, .desk-notes") || !event.target.matches("input, textarea, select")) return;
  event.preventDefault();
  const answer = event.target.closest("[data-answer]");
  (answer ?? current())?.querySelector("article").focus({ preventScroll: Boolean(answer) });
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  if (/^[1-5]$/.test(event.key)) {
    if (!renewing) say(gettext("Claim this first: then your grade counts."));
    press(`[data-key="${event.key}"]`, current());
  } else if (Object.hasOwn(KEYS, event.key)) {
    KEYS[event.key]();
  } else {
    return;
  }
  event.preventDefault();
});

for (const button of document.querySelectorAll("[data-keys]")) {
  button.hidden = false;
  button.addEventListener("click", () => keys.showModal());
}

if (matchMedia("(width < 60rem)").matches) {
  for (const facts of document.querySelectorAll("[data-facts]")) facts.open = false;
}

// -- A reviewer who reads is at work too: keys, pointer and scrolling keep the claim, the mere clock does not.

let heard = 0;

function atWork() {
  if (!renewing || Date.now() - heard < AT_WORK) return;
  heard = Date.now();
  htmx.trigger(renewing, "at-work");
}

for (const event of ["keydown", "pointermove", "wheel", "touchmove"]) {
  document.addEventListener(event, atWork, { passive: true });
}
document.addEventListener("scroll", atWork, { passive: true, capture: true });

// -- A verdict or a label is sent as it was pressed, though the buttons are replaced while it waits for its turn.

desk?.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-press]");
  if (!form) return;
  event.preventDefault();
  const values = Object.fromEntries(new FormData(form, event.submitter));
  htmx.ajax("POST", form.action, { source: form, target: form, swap: "innerHTML", values });
});

// -- What is typed is saved when its field is left, and nothing is finished before it is.

desk?.addEventListener("input", ({ target }) => {
  const form = target.closest("[data-keeps], [data-empties]");
  if (!form) return;
  form.toggleAttribute("data-unsaved", form.matches("[data-keeps]") || target.value.trim() !== "");
  const saved = form.querySelector(".desk-saved");
  if (saved) saved.textContent = "";
});

window.addEventListener("beforeunload", (event) => {
  if (desk?.querySelector("[data-unsaved]")) event.preventDefault();
});

// Where the session has ended, the reply is another page than the one that was asked.
function arrived({ xhr, requestConfig }) {
  if (!xhr.responseURL) return false;
  return new URL(xhr.responseURL).pathname === new URL(requestConfig.path, location.href).pathname;
}

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/)?.[1];
  if (token) event.detail.headers["X-CSRFToken"] = event.detail.parameters.csrfmiddlewaretoken = token;
  if (event.target.matches("[data-finish]") && desk.querySelector("[data-keeps][data-unsaved]")) {
    event.preventDefault();
    say(gettext("Something that you typed is not saved yet. Save it, then finish."));
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!arrived(event.detail)) event.preventDefault();
});

// What a finish leads to may be another page: the note came with it.
document.addEventListener("htmx:beforeOnLoad", ({ target, detail }) => {
  if (target.matches("[data-finish]") && detail.xhr.status === 200) {
    desk.querySelector("[data-empties]").removeAttribute("data-unsaved");
  }
});

document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  const { xhr } = detail;
  const there = arrived(detail);
  const note = target.closest("[data-empties]");
  if (there && (detail.successful || xhr.status === 409)) (note ?? target).removeAttribute("data-unsaved");
  if (there && detail.successful && note) note.querySelector("textarea").value = "";
  if (xhr.status && !there) say(gettext("You are signed out. What you typed is still here: sign in again in another tab, then try again."));
  else if (!xhr.status || xhr.status >= 500) say(gettext("Could not reach the server. What you typed is still here. Try again."));
  else if ([403, 404].includes(xhr.status)) say(gettext("The server refused this. Copy what you typed and reload the page."));
});
