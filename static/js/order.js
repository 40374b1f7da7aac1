// Keeping chats in order: where the menu of a chat opens, selecting several, and where the keyboard is afterwards.

import { gettext, interpolate, ngettext } from "./words.js";

const menu = document.getElementById("chat-menu");
const list = document.getElementById("chat-list");
const selection = document.querySelector("[data-selection]");
let opener = null;
let entered = null; // the button that led into a folder or the archive, by what it asks for

function button(address) {
  return address && list.querySelector(`button[hx-get="${CSS.escape(address)}"]`);
}

function place(button) {
  const { top, bottom, left } = button.getBoundingClientRect();
  menu.style.insetInlineStart = `${Math.max(8, Math.min(left, innerWidth - menu.offsetWidth - 8))}px`;
  const below = bottom + menu.offsetHeight + 8 <= innerHeight;
  menu.style.insetBlockStart = `${below ? bottom + 4 : Math.max(8, Math.min(top, innerHeight - 8) - menu.offsetHeight - 4)}px`;
}

function count() {
  const ticked = list.querySelectorAll(".chat-tick:checked").length;
  selection.querySelector("[data-selected]").textContent = interpolate(ngettext("%(count)s selected", "%(count)s selected", ticked), { count: ticked });
  for (const button of selection.querySelectorAll("[name=do]")) button.disabled = ticked === 0;
}

function select(id) {
  menu.hidePopover();
  list.dataset.selecting = "";
  selection.hidden = false;
  const tick = list.querySelector(`.chat-tick[value="${CSS.escape(id)}"]`);
  if (tick) {
    tick.checked = true;
    tick.focus();
  }
  count();
}

// The line of the chat, as long as it is there and nothing can be taken back; or else the way back from what was done.
function land() {
  const at = document.activeElement;
  if (at !== document.body && !menu.contains(at) && !selection.contains(at)) return;
  const undo = document.querySelector("#deed .link-button");
  const same = opener?.isConnected ? opener : button(opener?.getAttribute("hx-get"));
  (same ?? undo ?? document.querySelector(".sidebar-new")).focus();
}

// What was pressed in the list went with the list: the keyboard is at the way back, or where it had gone in.
function enter({ detail }) {
  const { elt } = detail.requestConfig;
  if (detail.target !== list || elt.isConnected || document.activeElement !== document.body) return;
  const back = list.querySelector(".chat-place button");
  (back ?? button(entered) ?? document.querySelector(".sidebar-new")).focus();
  if (back) entered = elt.getAttribute("hx-get");
}

function end() {
  delete list.dataset.selecting;
  selection.hidden = true;
  for (const tick of list.querySelectorAll(".chat-tick:checked")) tick.checked = false;
}

if (menu && list) {
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target !== menu) return;
    opener = detail.requestConfig.elt;
    menu.showPopover();
    place(opener);
    menu.querySelector("input:not([type=hidden])")?.focus();
  });
  menu.addEventListener("toggle", ({ newState }) => {
    if (newState === "closed") land();
  });
  menu.addEventListener("click", ({ target }) => {
    const chosen = target.closest("[data-select]");
    if (chosen) select(chosen.dataset.select);
  });
  list.addEventListener("change", count);
  list.addEventListener("htmx:afterSettle", enter); // not before it can be pressed
  selection.querySelector("[data-select-end]").addEventListener("click", () => {
    land();
    end();
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    // `detail.elt` is what is left of where a form stood that is gone.
    if (!detail.requestConfig.elt.matches("[data-order]") || !detail.successful) return;
    if (menu.matches(":popover-open")) menu.hidePopover();
    land();
    end();
  });
  // What was refused is said where the list is, not at the composer.
  document.addEventListener("htmx:responseError", ({ detail }) => {
    if (detail.elt.matches("[data-order], [data-menu]")) {
      const said = new DOMParser().parseFromString(detail.xhr.responseText, "text/html").body.textContent.trim();
      document.getElementById("deed").textContent = said || gettext("This could not be done. Try again.");
    }
  });
}
