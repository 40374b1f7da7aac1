// The lists of the queue and of the answers by keys: j and k go from row to row, Enter opens as it does on any link.

const links = [...document.querySelectorAll(".queue-ledger tbody a, .answers-ledger tbody a")];
const STEPS = { j: 1, k: -1 };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!Object.hasOwn(STEPS, event.key) || !links.length) return;
  if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? 0 : Math.min(Math.max(at + STEPS[event.key], 0), links.length - 1)].focus();
  event.preventDefault();
});
