// What all requests share: the id that makes a repeated command harmless, and the sentence for a command that
// did not arrive.

import { gettext } from "./words.js";

const memory = window.sessionStorage;

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // plain HTTP has no randomUUID
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// A command keeps its id until the server has answered it, also over a reload: pressed again, it is the same
// command. It is another one once its words were touched, or after a while.
const SAME = 60_000;

function clientId(path, words) {
  const key = `command:${path}`;
  const open = JSON.parse(memory.getItem(key) ?? "null");
  if (open?.words === words && Date.now() - open.at < SAME) return open.id;
  const id = uuid();
  memory.setItem(key, JSON.stringify({ id, words, at: Date.now() }));
  return id;
}

document.addEventListener("input", ({ target }) => {
  const path = target.form?.getAttribute("hx-post");
  if (path) memory.removeItem(`command:${path}`);
});

// Signing in again, in another tab, makes another token.
function token() {
  return document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/)?.[1];
}

function say(sentence) {
  const line = document.getElementById("composer-error");
  if (line) line.textContent = sentence;
}

function heard() {
  return document.getElementById("composer-error")?.textContent.trim() !== "";
}

const READS = "[data-edit], [data-further], [data-file]"; // what is asked for that is no command

function isCommand(detail) {
  return (detail.requestConfig?.verb ?? detail.verb) === "post";
}

document.addEventListener("htmx:configRequest", (event) => {
  const { detail } = event;
  if (event.defaultPrevented || !isCommand(detail)) return;
  if (token()) detail.headers["X-CSRFToken"] = detail.parameters.csrfmiddlewaretoken = token();
  const state = document.getElementById("state");
  if (state) detail.parameters.state = state.dataset.state;
  const { text, persona, temporary } = detail.parameters;
  const files = (detail.formData?.getAll("files") ?? []).map(({ name, size, lastModified }) => [name, size, lastModified]);
  const words = JSON.stringify([text ?? "", persona ?? "", temporary ?? "", files]);
  detail.parameters.client_id = clientId(detail.path, words);
  const field = detail.elt.querySelector?.("input[name=client_id]");
  if (field) field.value = detail.parameters.client_id;
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (isCommand(detail)) say("");
});

// A button that may be pressed once is out of reach meanwhile, which takes the keyboard off it.
const pressed = new WeakMap();

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt === document.activeElement) pressed.set(detail.xhr, detail.elt);
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const button = pressed.get(detail.xhr);
  if (button?.isConnected && document.activeElement === document.body) button.focus({ preventScroll: true });
});

document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
  if (isCommand(detail) && detail.xhr.status < 400) memory.removeItem(`command:${detail.requestConfig.path}`);
});

function unreachable({ detail }) {
  if (isCommand(detail)) say(gettext("Could not reach the server. Your text is kept. Try again."));
  else if (detail.elt.matches(READS)) say(gettext("Could not reach the server. Try again."));
}

document.addEventListener("htmx:sendError", unreachable);
document.addEventListener("htmx:timeout", unreachable);

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (heard() || !(isCommand(event.detail) || event.detail.elt.matches(READS))) return;
  if (xhr.status >= 500) unreachable(event);
  else if (xhr.status === 404) say(gettext("This chat is gone, or it is no longer open to you. Your text is kept."));
  else say(gettext("The server refused this. Your text is kept. Reload the page and try again."));
});

// The socket may replace the pressed button before the reply to it is here, and htmx would look for the parts of
// the reply where the button is: nowhere. What the socket brought is newer; only a refusal tells more, and what was
// said of an answer, which the socket does not bring.
const SAID = /\/(feedback|flag)\/$/;

document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, xhr } = event.detail;
  if (requestConfig?.elt.isConnected !== false) return;
  event.preventDefault();
  if (xhr.status >= 400 || SAID.test(requestConfig.path)) {
    htmx.swap(document.body, xhr.response, { swapStyle: "none", swapDelay: 0, settleDelay: 0 });
  }
});
