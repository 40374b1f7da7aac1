// Files that go with a message: chosen, dropped or pasted, shown above the text box until the server has taken them.
// They are read at once, so that what is sent is what was there when it was attached.

import { gettext, interpolate, ngettext, number } from "./words.js";

const form = document.querySelector("[data-composer]");
const input = form?.querySelector("[data-files]");
const chips = form?.querySelector("[data-chips]");
const said = form?.querySelector("[data-files-said]");
const field = form?.querySelector("textarea");
const KEPT = gettext("What you attached before is kept.");
const TENTHS = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
const MARKS = [[0xff, 0xfe], [0xfe, 0xff]]; // of UTF-16, whose text is full of zeros
let files = [];
let sending = [];
let reading = 0;

function complain(sentence) {
  document.getElementById("composer-error").textContent = sentence;
}

function words(size) {
  if (size < 1024) return interpolate(ngettext("%(size)s byte", "%(size)s bytes", size), { size });
  const kilobytes = size / 1024;
  if (kilobytes < 1000) return interpolate(gettext("%(size)s KB"), { size: Math.round(kilobytes) });
  return interpolate(gettext("%(size)s MB"), { size: number(kilobytes / 1024, TENTHS) });
}

function chip(file) {
  const item = document.createElement("li");
  const name = document.createElement("bdi");
  name.textContent = file.name;
  name.title = file.name;
  const size = document.createElement("small");
  size.textContent = words(file.size);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip-remove";
  button.textContent = "×";
  button.setAttribute("aria-label", interpolate(gettext("Remove %(name)s"), { name: file.name }));
  button.addEventListener("click", () => remove(file));
  item.append(name, size, button);
  return item;
}

// The form sends what its input holds.
function show() {
  const list = new DataTransfer();
  for (const file of files) list.items.add(file);
  input.files = list.files;
  if (files.length) form.enctype = "multipart/form-data";
  else form.removeAttribute("enctype");
  chips.replaceChildren(...files.map(chip));
  chips.hidden = files.length === 0;
}

function remove(file) {
  const at = files.indexOf(file);
  files = files.filter((each) => each !== file);
  show();
  said.textContent = interpolate(gettext("%(name)s removed."), { name: file.name });
  complain("");
  (chips.querySelectorAll("button")[Math.min(at, files.length - 1)] ?? field).focus();
}

function isText(bytes) {
  return MARKS.some((mark) => mark.every((byte, at) => bytes[at] === byte)) || !bytes.includes(0);
}

// The file as it is now, or why it cannot go.
async function taken(file) {
  const { name } = file;
  if (file.size > Number(input.dataset.each)) return interpolate(gettext("“%(name)s” is larger than 1 MB."), { name });
  if (file.size === 0) return interpolate(gettext("“%(name)s” is empty."), { name });
  try {
    const bytes = await file.arrayBuffer();
    if (!isText(new Uint8Array(bytes))) return interpolate(gettext("“%(name)s” is not a file of text: nothing else can be attached."), { name });
    return new File([bytes], name, { type: file.type, lastModified: file.lastModified });
  } catch {
    return interpolate(gettext("“%(name)s” cannot be read."), { name }); // a folder, or gone meanwhile
  }
}

function tooMany(most) {
  return interpolate(ngettext("At most %(most)s file can go with a message.", "At most %(most)s files can go with a message.", most), { most });
}

function tooMuch({ name }) {
  return interpolate(gettext("With “%(name)s” your files are larger than 2 MB together."), { name });
}

// Gives back what was added.
async function attach(chosen) {
  const most = Number(input.dataset.most);
  const problems = [];
  const added = [];
  reading += 1;
  const read = await Promise.all([...chosen].slice(0, most + 1).map(taken));
  reading -= 1;
  for (const file of read) {
    if (typeof file === "string") problems.push(file);
    else if (files.length + added.length === most) problems.push(tooMany(most));
    else if (total([...files, ...added, file]) > Number(input.dataset.total)) problems.push(tooMuch(file));
    else added.push(file);
  }
  files = [...files, ...added];
  show();
  const names = added.map(({ name }) => name).join(", ");
  if (added.length) said.textContent = interpolate(ngettext("%(names)s attached.", "%(names)s attached.", added.length), { names });
  complain(problems.length ? [...new Set(problems), files.length ? KEPT : ""].join(" ").trim() : "");
  field.focus();
  return added;
}

// A name that no file has yet.
function freeName(stem, suffix) {
  const taken = new Set(files.map(({ name }) => name));
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? `${stem}${suffix}` : `${stem} (${number})${suffix}`;
    if (!taken.has(name)) return name;
  }
}

function total(some) {
  return some.reduce((sum, { size }) => sum + size, 0);
}

// -- by button, by dropping, by pasting

function carries({ dataTransfer }) {
  return dataTransfer?.types.includes("Files");
}

function drag(event) {
  if (!carries(event)) return;
  event.preventDefault();
  const left = event.type === "dragleave" && event.relatedTarget === null;
  document.body.toggleAttribute("data-dropping", !left);
}

function drop(event) {
  document.body.removeAttribute("data-dropping");
  if (!carries(event)) return;
  event.preventDefault();
  attach(event.dataTransfer.files);
}

// What was copied out of a document is there as a picture too: its words are meant.
function paste(event) {
  const { clipboardData: data, target } = event;
  if (!data?.files.length || data.types.includes("text/plain")) return;
  if (target !== field && target.closest("input, textarea")) return;
  event.preventDefault();
  attach(data.files);
}

if (input) {
  form.querySelector(".composer-box").dataset.drop = gettext("Drop files to attach them");
  form.querySelector("[data-attach]").addEventListener("click", () => {
    input.value = "";
    input.click();
  });
  input.addEventListener("change", () => attach([...input.files]));
  input.addEventListener("cancel", show); // what was attached before is still to be sent
  for (const kind of ["dragenter", "dragover", "dragleave"]) document.addEventListener(kind, drag);
  document.addEventListener("drop", drop);
  document.addEventListener("paste", paste);
  // A text that is to be a file: whoever wants that is told whether it is one.
  form.addEventListener("fold", async ({ detail }) => {
    const file = new File([detail.text], freeName("pasted", ".txt"), { type: "text/plain" });
    detail.done((await attach([file])).length === 1);
  });
  form.addEventListener("htmx:configRequest", (event) => {
    sending = files;
    if (event.target !== form || !reading) return;
    event.preventDefault();
    complain(gettext("Your files are still being read. Send again in a moment."));
  });
  form.addEventListener("accepted", ({ target }) => {
    if (target !== form) return;
    files = files.filter((file) => !sending.includes(file)); // what was attached meanwhile stays
    sending = [];
    show();
  });
  show();
}
