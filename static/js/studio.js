// The persona form says beside the trial when it holds what the trial does not know yet.

const form = document.getElementById("persona_form");
const note = document.querySelector("[data-unsaved]");

// Against what the server gave, so that what the browser filled in again counts as well.
function differs(field) {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const given = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(given, 0);
}

function compare() {
  const fields = [...form.elements].filter((field) => field.matches("input, select, textarea") && field.name);
  note.hidden = note.dataset.unsaved !== "refused" && !fields.some(differs);
}

if (form && note) {
  form.addEventListener("input", compare);
  window.addEventListener("pageshow", compare); // by then the browser has filled in what it remembers
}
