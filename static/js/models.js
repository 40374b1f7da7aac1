// The persona form: the models of the chosen provider, offered at the field in which a name can always be typed.

import { gettext, interpolate, ngettext, number } from "./words.js";

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

// What a model can do, where the server has words of its own for it (providers/capabilities.py).
const ABLE = {
  chat: gettext("chat"),
  "code completion": gettext("code completion"),
  tools: gettext("tools"),
  "strict tools": gettext("strict tools"),
  "choice of tools": gettext("choice of tools"),
  tuning: gettext("tuning"),
  vision: gettext("vision"),
  reasoning: gettext("reasoning"),
  "reading scans": gettext("reading scans"),
  "JSON by a schema": gettext("JSON by a schema"),
  probabilities: gettext("probabilities"),
  transcription: gettext("transcription"),
};

function able(name) {
  return Object.hasOwn(ABLE, name) ? ABLE[name] : name;
}

function described(model) {
  const length = model.context_length;
  const tokens = length && interpolate(ngettext("%(tokens)s token", "%(tokens)s tokens", length), { tokens: number(length) });
  return [tokens || gettext("context length not told"), ...model.capabilities.map(able)].join(", ");
}

// The length that is listed is not taken by itself: what is read of a chat is paid for.
function advice(model) {
  const read = Number(context.value || context.placeholder.replace(/[^0-9]/g, ""));
  if (!model.context_length || !read || read === model.context_length) return "";
  const sentence =
    read > model.context_length
      ? gettext("%(tokens)s tokens of a chat are sent at most, which is more than it reads: lower the context length.")
      : gettext("%(tokens)s tokens of a chat are sent at most: raise the context length for more.");
  return interpolate(sentence, { tokens: number(read) });
}

function describe() {
  const model = models.find((each) => each.id === input.value);
  if (model) note.textContent = [described(model), advice(model)].filter(Boolean).join(". ");
  else if (models.length && input.value) note.textContent = gettext("The provider does not list a model of this name.");
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
    note.textContent = gettext("The provider's list of models cannot be had at the moment. Type the name.");
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
