// The palette (Ctrl+K), the list of shortcuts (?), and the arrow that takes up the last question again.

const palette = document.getElementById("palette");
const shortcuts = document.getElementById("shortcuts");
const field = palette.querySelector("input");
const list = document.getElementById("palette-list");
let listed = null; // the words that the list is of
let wanted = false; // Enter was pressed before the list was there

function open() {
  if (palette.open) return palette.close();
  for (const other of document.querySelectorAll("dialog[open]")) other.close();
  field.value = "";
  list.replaceChildren();
  palette.showModal();
  [listed, wanted] = [null, false];
  field.dispatchEvent(new Event("opened"));
}

function go() {
  wanted = listed !== field.value;
  if (!wanted) choices()[0]?.click();
}

// What can be chosen, in the order of the list.
function choices() {
  return [...list.querySelectorAll("a, button")];
}

function step(by) {
  const all = [field, ...choices()];
  all[(all.indexOf(document.activeElement) + by + all.length) % all.length].focus();
}

function isWriting(target) {
  return target.closest("input, textarea, select, dialog, [contenteditable]");
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    open();
  } else if (event.key === "?" && !isWriting(event.target)) {
    event.preventDefault();
    shortcuts.showModal();
  } else if (event.key === "ArrowUp" && event.target.matches("[data-composer] textarea") && !event.target.value) {
    const edit = [...document.querySelectorAll("[data-edit]")].at(-1);
    if (!edit) return;
    event.preventDefault();
    edit.click();
  }
});

palette.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && event.target === field) {
    event.preventDefault();
    go();
  } else if (event.key === "Escape") {
    // A search box would take the first one to empty itself.
    event.preventDefault();
    palette.close();
  }
});

field.addEventListener("input", () => {
  wanted = false;
});

list.addEventListener("htmx:afterSwap", ({ detail }) => {
  listed = new URL(detail.xhr.responseURL).searchParams.get("q");
  if (wanted) go();
  // A list that came late has taken the one that had the focus with it.
  if (palette.open && !palette.contains(document.activeElement?.closest("input, a, button"))) field.focus();
});

palette.addEventListener("click", ({ target }) => {
  if (target === palette) palette.close(); // beside it
  const button = target.closest("[data-does]");
  if (button || target.closest("a[download]")) palette.close();
  if (button) shortcuts.showModal();
});

document.querySelector("[data-shortcuts]").addEventListener("click", () => {
  document.getElementById("person-menu").hidePopover();
  shortcuts.showModal();
});
