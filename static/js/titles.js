// What a chat is called, once it is called otherwise: in the list, and in the tab of its own page. The tab also tells of
// answers that ended while nobody looked at it.

import { gettext, interpolate } from "./words.js";

const tab = document.querySelector("title");
const icon = document.querySelector("link[rel=icon]");
const plain = icon.href;
let own = document.title;
const unseen = new Set(); // answers, by their articles: what comes back may end a second time

function show() {
  tab.dataset.own = own; // what the socket says the page is called (socket.js)
  document.title = unseen.size ? `(${unseen.size}) ${own}` : own;
  icon.href = unseen.size ? icon.dataset.marked : plain;
}

document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id !== "titled") return;
  const { chat, title } = document.getElementById("titled").dataset;
  const line = document.getElementById(`chat-title-${chat}`);
  if (line) {
    line.textContent = line.closest("a").title = title;
    line.closest("li").querySelector(".chat-tick").setAttribute("aria-label", interpolate(gettext("Select %(title)s"), { title }));
  }
  if (location.pathname !== `/c/${chat}/`) return;
  own = title;
  show();
});

document.addEventListener("answered", ({ target }) => {
  if (!document.hidden) return;
  unseen.add(target.id);
  show();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden || unseen.size === 0) return;
  unseen.clear();
  show();
});
