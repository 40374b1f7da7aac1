// The persona form says beside the trial when it holds what the trial does not know yet, and is not left with that
// unasked.

const form = document.getElementById("persona_form");
const note = document.querySelector("[data-unsaved]");

// Against what the server gave, so that what the browser filled in again counts as well.
function differs(field) {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const given = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(given, 0);
}

function changed() {
  const fields = [...form.elements].filter((field) => field.matches("input, select, textarea") && field.name);
  return fields.some(differs);
}

function compare() {
  note.hidden = note.dataset.unsaved !== "refused" && !changed();
}

if (form) {
  let sent = false;
  form.addEventListener("submit", () => (sent = true));
  window.addEventListener("beforeunload", (event) => {
    if (!sent && changed()) event.preventDefault();
  });
  window.addEventListener("pageshow", () => (sent = false));
}

if (form && note) {
  form.addEventListener("input", compare);
  window.addEventListener("pageshow", compare); // by then the browser has filled in what it remembers
}
