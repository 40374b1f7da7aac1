// The persona form: the models of the chosen provider, offered at the field in which a name can always be typed.

const input = document.querySelector("input[data-models]");
const endpoint = document.querySelector("select[name=endpoint]");
const company = document.querySelector("select[name=company]");
const context = document.querySelector("input[name=context_length]");
const list = document.getElementById("models");

const note = document.createElement("div");
note.className = "help";
note.setAttribute("role", "status");

let models = [];
let asked = 0;

function described(model) {
  const context = model.context_length ? `${model.context_length.toLocaleString("en")} tokens` : "context length not told";
  return [context, ...model.capabilities].join(", ");
}

// The length that is listed is not taken by itself: what is read of a chat is paid for.
function advice(model) {
  const read = Number(context.value || context.placeholder.replace(/[^0-9]/g, ""));
  if (!model.context_length || !read || read === model.context_length) return "";
  const set = `${read.toLocaleString("en")} tokens of a chat are sent at most`;
  if (read > model.context_length) return `. ${set}, which is more than it reads: lower the context length.`;
  return `. ${set}: raise the context length for more.`;
}

function describe() {
  const model = models.find((each) => each.id === input.value);
  if (model) note.textContent = described(model) + advice(model);
  else if (models.length && input.value) note.textContent = "The provider does not list a model of this name.";
  else note.textContent = "";
}

async function load() {
  const turn = ++asked;
  models = [];
  list.replaceChildren();
  note.textContent = "";
  if (!endpoint.value) return;
  let found = null;
  try {
    const asked = new URLSearchParams({ endpoint: endpoint.value, company: company?.value ?? input.dataset.company ?? "" });
    const response = await fetch(`${input.dataset.models}?${asked}`);
    if (response.ok) found = (await response.json()).models;
  } catch {
    // Said below: the list is a help, not a condition.
  }
  if (turn !== asked) return; // another provider was chosen meanwhile
  if (!found) {
    note.textContent = "The provider's list of models cannot be had at the moment. Type the name.";
    return;
  }
  models = found;
  list.replaceChildren(
    ...models.map((model) => {
      const option = document.createElement("option");
      option.value = model.id;
      option.label = described(model);
      return option;
    }),
  );
  describe();
}

if (input && endpoint && list) {
  input.closest("div")?.after(note);
  endpoint.addEventListener("change", load);
  company?.addEventListener("change", load);
  input.addEventListener("input", describe);
  context.addEventListener("input", describe);
  load();
}
