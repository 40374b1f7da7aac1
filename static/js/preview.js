// How the message reads as Markdown: the server renders it, in the place of the text box, which keeps what it has.

import { gettext } from "./words.js";

const form = document.querySelector("[data-composer]");
const field = form?.querySelector("textarea");
const button = form?.querySelector("[data-preview]");
const shown = form?.querySelector("[data-preview-shown]");
const FAILED = gettext("The preview cannot be had at the moment. Your text is kept.");
let asked = 0; // which of the requests is the last

function say(sentence) {
  document.getElementById("composer-error").textContent = sentence;
}

function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html").body;
}

async function render(text) {
  const body = new FormData();
  body.set("text", text);
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  const token = document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/)?.[1];
  const headers = { "HX-Request": "true", "X-CSRFToken": token ?? form.elements.csrfmiddlewaretoken.value };
  const reply = await fetch(button.dataset.preview, { method: "POST", body: new URLSearchParams(body), headers });
  const page = parsed(await reply.text());
  if (!reply.ok) throw new Error(page.querySelector("#composer-error")?.textContent || FAILED);
  return page.childNodes;
}

function toggle(previewing) {
  field.hidden = previewing;
  shown.hidden = !previewing;
  button.textContent = previewing ? gettext("Write") : gettext("Preview");
}

async function preview() {
  if (!field.value.trim()) {
    say(gettext("Write a message first."));
    field.focus();
    return;
  }
  const mine = (asked += 1);
  button.setAttribute("aria-busy", "true");
  try {
    const nodes = await render(field.value);
    if (mine !== asked) return;
    say("");
    shown.replaceChildren(...nodes);
    const { selectionStart, selectionEnd } = field;
    toggle(true);
    shown.dataset.caret = JSON.stringify([selectionStart, selectionEnd]);
    shown.focus({ preventScroll: true });
  } catch (error) {
    if (mine === asked) say(error instanceof TypeError ? FAILED : error.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function write() {
  asked += 1;
  if (shown.hidden) return;
  toggle(false);
  field.focus();
  field.setSelectionRange(...JSON.parse(shown.dataset.caret));
}

function press() {
  if (shown.hidden) preview();
  else write();
}

if (button) {
  button.addEventListener("click", press);
  form.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, shiftKey, target } = event;
    if (key.toLowerCase() === "p" && shiftKey && (ctrlKey || metaKey)) {
      event.preventDefault();
      press();
    } else if (target === shown && key === "Escape") {
      write();
    } else if (target === shown && key === "Enter" && !event.repeat) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  // What was sent, or could not be, is seen where it is written; so is what else changes the text.
  form.addEventListener("accepted", write);
  form.addEventListener("htmx:configRequest", (event) => event.defaultPrevented && write());
  field.addEventListener("input", write);
}
