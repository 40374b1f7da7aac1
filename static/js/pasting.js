// A long text that is pasted into the message: offered to be attached as a file instead, while one writes on.

import { gettext, interpolate, ngettext, number } from "./words.js";

const LONG = 4_000; // characters
const LINES = 40;
const form = document.querySelector("[data-composer]");
const field = form?.querySelector("textarea");
const offer = form?.querySelector("[data-offer]");
let pasted = null; // what is offered, and where it was put

function isLong(text) {
  return text.length > LONG || text.split("\n", LINES + 2).length > LINES;
}

function close() {
  if (offer.contains(document.activeElement)) field.focus();
  offer.hidden = true;
  pasted = null;
}

function arrived({ clipboardData: data, target }) {
  if (target !== field || !data?.types.includes("text/plain")) return;
  const text = data.getData("text/plain").replace(/\r\n?/g, "\n"); // as the text box has it
  if (!isLong(text)) return;
  const at = field.selectionStart;
  field.addEventListener("input", () => propose(text, at), { once: true });
}

function described(characters, lines) {
  const sentence =
    lines > 1
      ? ngettext("You pasted %(characters)s character in %(lines)s lines.", "You pasted %(characters)s characters in %(lines)s lines.", characters)
      : ngettext("You pasted %(characters)s character.", "You pasted %(characters)s characters.", characters);
  return interpolate(sentence, { characters: number(characters), lines: number(lines) });
}

function propose(text, at) {
  pasted = { text, at };
  if (place() < 0) return close();
  offer.hidden = false;
  const words = described(text.length, text.split("\n").length);
  offer.querySelector("[data-offer-words]").textContent = words;
  form.querySelector("[data-files-said]").textContent = `${words} ${gettext("They can be attached as a file instead.")}`;
}

// Where the pasted text stands now, which may have moved; -1 where it was changed.
function place() {
  if (field.value.startsWith(pasted.text, pasted.at)) return pasted.at;
  return field.value.indexOf(pasted.text);
}

// Modules have names of their own on a page, so one asks the other by an event (files.js).
function fold() {
  const { text } = pasted;
  form.dispatchEvent(new CustomEvent("fold", { detail: { text, done: (attached) => attached && takeOut(text) } }));
}

function takeOut(text) {
  const at = pasted ? place() : -1;
  close();
  if (at < 0) return;
  field.focus();
  field.setSelectionRange(at, at + text.length);
  // So that "undo" brings it back; what cannot do that takes it out all the same.
  if (!document.execCommand("delete")) {
    field.setRangeText("", at, at + text.length, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

if (offer) {
  field.addEventListener("paste", arrived);
  field.addEventListener("input", () => pasted && place() < 0 && close());
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && pasted && !event.isComposing) close();
  });
  offer.addEventListener("keydown", (event) => event.key === "Escape" && close());
  offer.querySelector("[data-offer-attach]").addEventListener("click", fold);
  offer.querySelector("[data-offer-keep]").addEventListener("click", close);
  form.addEventListener("accepted", ({ target }) => target === form && close());
}
