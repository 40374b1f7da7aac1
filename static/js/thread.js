// The turns of a conversation: none appears twice, each shows its state, a question is edited in its place.

const log = document.querySelector("[data-log]");
const announcer = document.querySelector("[data-announce]");
const LIVE = ["pending", "running"];
const READ_ALOUD = 1200; // characters; a longer answer is announced and read at will

// A new turn comes twice: in the reply to the form and over the socket. The first to arrive stays.
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.id !== "messages") return;
  for (const turn of detail.fragment.querySelectorAll(":scope > article")) {
    if (document.getElementById(turn.id)) turn.remove();
  }
});

function announce(article, status) {
  const text = article.querySelector("[data-text]").innerText.trim();
  if (status !== "done") announcer.textContent = article.querySelector(".ending p")?.innerText ?? "";
  else announcer.textContent = text.length > READ_ALOUD ? "The answer is complete." : text;
}

document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (!detail.target.id.startsWith("foot-")) return;
  const foot = document.getElementById(detail.target.id);
  const article = foot?.closest("article[data-status]");
  if (!article || article.dataset.status === foot.dataset.status) return;
  article.dataset.status = foot.dataset.status;
  if (!LIVE.includes(foot.dataset.status)) announce(article, foot.dataset.status);
});

function fit(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function leaveEdit(form) {
  const article = form.closest("article");
  form.remove();
  article.querySelector("[data-edit]")?.focus();
}

log?.addEventListener("htmx:afterSwap", ({ target }) => {
  const field = target.matches?.(".edit-slot") && target.querySelector("textarea");
  if (!field) return;
  fit(field);
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
  field.addEventListener("input", () => fit(field));
});

log?.addEventListener("click", (event) => {
  const cancel = event.target.closest("[data-edit-cancel]");
  if (cancel) leaveEdit(cancel.form);
});

log?.addEventListener("keydown", (event) => {
  const form = event.target.closest("[data-edit-form]");
  if (!form || event.isComposing || event.keyCode === 229) return;
  if (event.key === "Escape") leaveEdit(form);
  if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
    event.preventDefault();
    if (!event.repeat) form.requestSubmit();
  }
});

log?.addEventListener("htmx:configRequest", (event) => {
  const form = event.target;
  if (form.matches("[data-edit-form]") && !form.elements.text.value.trim()) event.preventDefault();
});

log?.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (detail.successful && target.matches("[data-edit-form]")) target.remove();
});
