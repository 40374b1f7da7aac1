// "Copy" on a message gives its source and, to programs that take it, the same as rich text; on a block of code, the code;
// beside a field, what stands in that.

import { gettext } from "./words.js";

const announcer = document.querySelector("[data-announce]");

async function put({ text, html }) {
  if (html && navigator.clipboard && window.ClipboardItem) {
    const both = { "text/plain": new Blob([text], { type: "text/plain" }), "text/html": new Blob([html], { type: "text/html" }) };
    return navigator.clipboard.write([new ClipboardItem(both)]);
  }
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain HTTP has no clipboard: copy out of a field that nobody sees.
  const field = document.createElement("textarea");
  const focused = document.activeElement;
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus();
  if (!done) throw new Error("The browser did not copy.");
}

// What a reader sees of a message, without its controls.
function rich(article) {
  const shown = article.querySelector("[data-text]").cloneNode(true);
  for (const each of shown.querySelectorAll("figcaption, .host")) each.remove();
  return shown.innerHTML;
}

function copied(button) {
  if (button.dataset.copyFrom) return { text: document.getElementById(button.dataset.copyFrom).value };
  if (button.matches("[data-copy-code]")) return { text: button.closest("figure").querySelector("pre").textContent };
  const article = button.closest("article");
  return { text: article.querySelector("template[data-source]").content.textContent, html: rich(article) };
}

function show(button, outcome) {
  announcer.textContent = outcome;
  button.dataset.outcome = outcome;
  setTimeout(() => delete button.dataset.outcome, 1600);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-code], [data-copy-from]");
  if (!button) return;
  try {
    await put(copied(button));
    show(button, gettext("Copied"));
  } catch {
    show(button, gettext("Not copied"));
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-wrap-code]");
  button?.setAttribute("aria-pressed", button.ariaPressed !== "true");
});
