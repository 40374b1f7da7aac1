// Bringing a file in: sent in pieces, each of which the server has before the next one leaves; then watched until it
// has been read. A piece that did not arrive is sent again, which is harmless.

import { gettext } from "./words.js";

const form = document.querySelector("[data-import-form]");
const state = document.querySelector("[data-import-state]");
const problem = document.querySelector("[data-import-problem]");
const said = document.querySelector("[data-import-said]");
const TRIES = 6;
const LOOK = 1_000; // milliseconds between two looks how far it is
let sending = false;
let looking = 0;

const pause = (time) => new Promise((done) => setTimeout(done, time));
const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body;
const status = () => state.querySelector("[data-import]")?.dataset.import;

class Refused extends Error {}

async function ask(path, body) {
  for (let tries = 1; ; tries += 1) {
    try {
      const headers = { "HX-Request": "true", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
      const response = await fetch(path, { method: body ? "POST" : "GET", body, headers });
      const text = await response.text();
      if (response.ok) return text;
      // What is refused stays refused; what the server was too busy for is tried again.
      if (response.status < 500) throw new Refused(parsed(text).textContent.trim());
      throw new Error(parsed(text).textContent.trim());
    } catch (error) {
      if (error instanceof Refused || tries === TRIES) throw error;
      await pause(500 * 2 ** tries);
    }
  }
}

function show(html) {
  const before = status();
  state.replaceChildren(...parsed(html).childNodes);
  if (status() !== before) said.textContent = (state.querySelector("p")?.textContent ?? "").replace(/\s+/g, " ").trim();
  clearTimeout(looking);
  if (status() === "waiting") looking = setTimeout(look, LOOK);
}

async function look() {
  try {
    show(await ask(form.action));
  } catch {
    complain(gettext("How far it is cannot be told at the moment. The import goes on; reload this page to look again."));
  }
}

function complain(sentence) {
  problem.textContent = sentence;
  problem.hidden = sentence === "";
}

async function send(file) {
  const begun = new FormData(form);
  begun.set("name", file.name);
  begun.set("size", file.size);
  show(await ask(form.action, begun));
  const size = Number(form.dataset.piece);
  for (let at = 0; at < file.size && status() === "arriving"; at += size) {
    show(await ask(`${form.action}${at / size}/`, await file.slice(at, at + size).arrayBuffer()));
  }
}

if (form) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    complain("");
    sending = true;
    try {
      await send(form.querySelector("[type=file]").files[0]);
    } catch (error) {
      if (!["arriving", "waiting"].includes(status())) state.replaceChildren(); // what became of an earlier file
      complain(error instanceof Refused && error.message ? error.message : gettext("The server cannot be reached, or the file cannot be read any more. Choose it again."));
    }
    sending = false;
  });
  state.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      show(await ask(event.target.action, new FormData(event.target)));
    } catch {
      complain(gettext("The server cannot be reached. The import goes on; try again."));
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (sending) event.preventDefault();
  });
  if (status() === "waiting") looking = setTimeout(look, LOOK);
}
