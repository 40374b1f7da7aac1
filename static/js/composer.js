// The box that messages are written in: it grows, keeps a draft, and empties only when the server has taken
// the message. (Enter is in keys.js.)

import { gettext, interpolate, ngettext, number } from "./words.js";

const form = document.querySelector("[data-composer]");
const field = form?.querySelector("textarea");
const person = document.querySelector("[data-person]")?.dataset.person;
const draft = `draft:${person}:${location.pathname}`;
const limit = Number(field?.dataset.limit);
const touch = matchMedia("(hover: none)");
const encoder = new TextEncoder();
let sent = "";
let pressing = false; // the keyboard is, or was last, on Send or Stop

function say(sentence) {
  document.getElementById("composer-error").textContent = sentence;
}

function fit() {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function excess() {
  if (field.value.length * 3 < limit) return 0; // no character takes more than three bytes a UTF-16 unit
  return encoder.encode(field.value).length - limit;
}

function count() {
  const over = excess();
  const line = document.getElementById("composer-count");
  line.hidden = over === 0 || over < -limit / 10;
  if (line.hidden) line.textContent = "";
  else if (over > 0) line.textContent = interpolate(ngettext("Too long by %(bytes)s byte", "Too long by %(bytes)s bytes", over), { bytes: number(over) });
  else line.textContent = interpolate(ngettext("%(bytes)s byte left", "%(bytes)s bytes left", -over), { bytes: number(-over) });
  field.setAttribute("aria-invalid", String(over > 0));
}

function changed() {
  say("");
  fit();
  count();
  if (field.value) sessionStorage.setItem(draft, field.value);
  else sessionStorage.removeItem(draft);
}

function nudge(element) {
  element.classList.remove("nudged");
  void element.offsetWidth; // lets the same animation start again
  element.classList.add("nudged");
}

// Why the message cannot go now: a sentence, "" where the page shows it already, null if it can.
function obstacle() {
  const closed = document.querySelector("[data-closed]");
  if (closed) return closed.dataset.closed;
  const button = document.getElementById("composer-button");
  if (!button.querySelector("[type=submit]")) {
    nudge(button);
    return gettext("An answer is still being written. Stop it, or wait for its end. Your text is kept.");
  }
  const attached = form.querySelector("[data-files]").files.length;
  if (!field.value.trim()) return attached ? gettext("Write what is to be done with what you attached.") : gettext("Write a message first.");
  if (excess() > 0) return gettext("This message is too long. Shorten it, or send it in parts.");
  const choices = form.querySelectorAll("input[name=persona]");
  if (choices.length && !form.querySelector("input[name=persona]:checked")) return gettext("Choose who to talk to first.");
  return null;
}

function send(event) {
  if (event.target !== form) return;
  const reason = obstacle();
  if (reason === null) {
    sent = field.value;
    return;
  }
  event.preventDefault();
  say(reason);
  field.focus();
}

function accepted(event) {
  if (event.target !== form) return;
  // What was typed while the message was under way stays.
  field.value = field.value.startsWith(sent) ? field.value.slice(sent.length) : field.value;
  sent = "";
  changed();
  if (!touch.matches || document.activeElement === field) field.focus();
}

// What was begun where no page could be fetched, also by whom the tab did not know yet (offline.js).
function kept() {
  const nameless = `draft::${location.pathname}`;
  const words = sessionStorage.getItem(nameless);
  if (words !== null && sessionStorage.getItem(draft) === null) sessionStorage.setItem(draft, words);
  sessionStorage.removeItem(nameless);
  return sessionStorage.getItem(draft) ?? "";
}

if (form) {
  sessionStorage.setItem("person", person);
  field.value ||= kept();
  fit();
  count();
  field.addEventListener("input", changed);
  form.addEventListener("htmx:configRequest", send);
  form.addEventListener("accepted", accepted);
  // The button that was pressed may be gone with what it did; the next word is typed here. Where that would bring a
  // keyboard onto the screen, the button that stands there now is as good.
  document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
    if (detail.target.id !== "composer-button" || document.activeElement !== document.body) return;
    if (!touch.matches) field.focus();
    else if (pressing) document.querySelector("#composer-button button")?.focus();
  });
  document.addEventListener("focusin", ({ target }) => {
    pressing = target.closest("#composer-button") !== null;
  });
}

document.querySelector("[data-sign-out]")?.addEventListener("submit", () => sessionStorage.clear());
