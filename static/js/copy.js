// "Copy" on a message gives its source; on a block of code, the code; beside a field, what stands in that.

const announcer = document.querySelector("[data-announce]");

async function put(text) {
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

function source(button) {
  if (button.dataset.copyFrom) return document.getElementById(button.dataset.copyFrom).value;
  if (button.matches("[data-copy-code]")) return button.closest("figure").querySelector("pre").textContent;
  return button.closest("article").querySelector("template[data-source]").content.textContent;
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
    await put(source(button));
    show(button, "Copied");
  } catch {
    show(button, "Not copied");
  }
});
