// The turns of a conversation: none appears twice, each shows its state, a question is edited in its place.

import { gettext } from "./words.js";

const log = document.querySelector("[data-log]");
const announcer = document.querySelector("[data-announce]");
const LIVE = ["pending", "running"];

// A new turn comes twice: in the reply to the form and over the socket. The first to arrive stays.
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.id !== "messages") return;
  for (const turn of detail.fragment.querySelectorAll(":scope > article")) {
    if (document.getElementById(turn.id)) turn.remove();
  }
  const whole = detail.fragment.querySelector("#messages");
  if (!whole) return;
  left = place(document.activeElement);
  keepAbove(detail.target, whole);
  carryOver(detail.target, whole);
});

// What was read above the first message that is in both stays: nothing comes between a message and those above it.
function keepAbove(old, whole) {
  const ends = whole.querySelector(".gap"); // what is above it may be on the page already, and with another end
  for (const turn of whole.querySelectorAll(":scope > article")) {
    if (ends && ends.compareDocumentPosition(turn) & Node.DOCUMENT_POSITION_FOLLOWING) return;
    const same = old.querySelector(`#${turn.id}`);
    if (!same) continue;
    if (same.previousElementSibling?.matches("article, .gap") !== true) return;
    while (turn.previousElementSibling) turn.previousElementSibling.remove();
    while (same.previousElementSibling) {
      same.previousElementSibling.removeAttribute("data-still"); // an element that is moved forgets its height
      whole.prepend(same.previousElementSibling);
    }
    return;
  }
}

// Where the keyboard is: in which message, by how many stand above it, and on what of it.
const STOPS = "a[href], button, summary, input, textarea, [tabindex]";
let left = null;

function nameOf(element) {
  return element.getAttribute("aria-label") ?? element.textContent.trim();
}

function place(element) {
  const article = element?.closest("#messages > article");
  if (!article) return null;
  const index = [...article.querySelectorAll(STOPS)].indexOf(element);
  const group = [".versions", ".feedback", ".foot"].find((each) => element.closest(each));
  return { depth: article.dataset.depth, name: nameOf(element), index, group, element };
}

document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.id.startsWith("foot-") && detail.target.contains(document.activeElement)) {
    left = place(document.activeElement);
  }
});

// What has the same name and stands where it stood; or else what stands beside it: the other version where this is the
// last one, the folded form where it was sent.
function comeBack() {
  if (left.element.isConnected) return left.element.focus({ preventScroll: true });
  const article = log.querySelector(`article[data-depth="${left.depth}"]`);
  const stops = [...(article?.querySelectorAll(STOPS) ?? [])];
  const open = stops.filter((each) => !each.disabled && each.checkVisibility());
  const far = (each) => Math.abs(stops.indexOf(each) - left.index);
  const same = open.filter((each) => nameOf(each) === left.name).sort((one, other) => far(one) - far(other));
  const beside = left.group && open.filter((each) => each.closest(left.group));
  (same[0] ?? beside?.[0])?.focus({ preventScroll: left.group === undefined });
}

document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (!left || !(detail.target.id === "messages" || detail.target.id.startsWith("foot-"))) return;
  if (document.activeElement === document.body) comeBack();
  left = null;
});

// What the reader has open stays open when the whole thread is replaced: a question being edited, a thought.
function carryOver(old, whole) {
  for (const form of old.querySelectorAll("[data-edit-form]")) {
    whole.querySelector(`#${form.parentElement.id}`)?.append(form);
  }
  for (const thought of old.querySelectorAll("details[open]")) {
    whole.querySelector(`#${thought.id}`)?.setAttribute("open", "");
  }
}

// A link that fetched the last of what there was is gone with it; the keys go on scrolling.
let pressed = false;

log?.addEventListener("htmx:beforeSwap", ({ detail }) => {
  pressed = detail.requestConfig.elt.matches("[data-further]:focus");
});

log?.addEventListener("htmx:afterSwap", () => {
  if (pressed && document.activeElement === document.body) log.focus({ preventScroll: true });
  pressed = false;
});

// The first words of an answer: it runs.
document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (!detail.target.id.startsWith("text-")) return;
  const article = document.getElementById(detail.target.id)?.closest("article[data-status=pending]");
  if (article && detail.target.innerText.trim()) article.dataset.status = "running";
});

document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (!detail.target.id.startsWith("foot-")) return;
  const foot = document.getElementById(detail.target.id);
  const said = foot?.querySelector("[data-said]");
  if (said) announcer.textContent = said.textContent;
  const article = foot?.closest("article[data-status]");
  if (!article || article.dataset.status === foot.dataset.status) return;
  article.dataset.status = foot.dataset.status;
  document.getElementById("composer-error").textContent = ""; // what was said of the running answer is over
  if (!LIVE.includes(foot.dataset.status)) article.dispatchEvent(new Event("answered", { bubbles: true }));
});

// A page that comes back may find that an answer ended meanwhile.
let running = [];

document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.id !== "messages") return;
  running = LIVE.flatMap((status) => [...log.querySelectorAll(`article[data-status=${status}]`)]).map(({ id }) => id);
});

document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id !== "messages") return;
  const ended = running.map((id) => document.getElementById(id));
  for (const article of ended.filter((each) => each && !LIVE.includes(each.dataset.status))) {
    article.dispatchEvent(new Event("answered", { bubbles: true }));
  }
});

function fit(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function leaveEdit(form) {
  const article = form.closest("article");
  form.remove();
  article.querySelector("[data-edit]")?.focus();
}

log?.addEventListener("htmx:afterSwap", ({ target }) => {
  const field = target.matches?.(".edit-slot") && target.querySelector("textarea");
  if (!field) return;
  fit(field);
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
  field.addEventListener("input", () => fit(field));
});

log?.addEventListener("click", (event) => {
  const cancel = event.target.closest("[data-edit-cancel]");
  if (cancel) leaveEdit(cancel.form);
});

log?.addEventListener("keydown", (event) => {
  const form = event.target.closest("[data-edit-form]");
  if (!form || event.isComposing || event.keyCode === 229) return;
  if (event.key === "Escape") leaveEdit(form);
  if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
    event.preventDefault();
    if (!event.repeat) form.requestSubmit();
  }
});

log?.addEventListener("htmx:configRequest", (event) => {
  const form = event.target;
  if (!form.matches("[data-edit-form]") || form.elements.text.value.trim()) return;
  event.preventDefault();
  document.getElementById("composer-error").textContent = gettext("Write a message first.");
});

log?.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (detail.successful && target.matches("[data-edit-form]")) target.remove();
});
