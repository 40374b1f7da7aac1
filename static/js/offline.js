// The page that stands where no page can be fetched: it keeps what is being written, where the composer looks for it
// (composer.js), and makes way as soon as the server answers. It stands in the page itself and can import nothing: a
// catalogue of words, where there is one, stands in the page before it (words.js).

"use strict";

const gettext = globalThis.gettext ?? ((text) => text);
const EVERY = 3000;
const WRITING = 2000; // nobody is interrupted in the middle of a word
const holder = document.querySelector("[data-draft]");
const field = holder.querySelector("textarea");
const state = document.querySelector("[data-state]");
const path = location.pathname;
const draft = `draft:${sessionStorage.getItem("person") ?? ""}:${path}`;
let written = 0;
let asking = false;

function keep() {
  written = Date.now();
  if (field.value) sessionStorage.setItem(draft, field.value);
  else sessionStorage.removeItem(draft);
}

function back() {
  if (path === "/offline/") location.replace("/");
  else location.reload();
}

async function look() {
  if (asking || Date.now() - written < WRITING) return;
  asking = true;
  const reply = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(EVERY) }).catch(() => null);
  asking = false;
  if (reply?.ok) back();
}

async function again() {
  written = 0;
  state.textContent = gettext("Trying…");
  await look();
  state.textContent = gettext("The server does not answer yet. This page comes back by itself.");
}

if (path === "/" || /^\/c\/[0-9a-f-]{36}\/$/.test(path)) {
  holder.hidden = false;
  field.value = sessionStorage.getItem(draft) ?? "";
  field.addEventListener("input", keep);
}
document.querySelector("[data-again]").addEventListener("click", again);
addEventListener("online", look);
document.addEventListener("visibilitychange", () => document.hidden || look());
setInterval(look, EVERY);
