// How long "Undo" is offered: ten seconds, and longer while somebody points at it or has it under the keyboard.

const line = document.getElementById("deed");
const OFFERED = 10_000;
const MOST = 24; // times that it begins anew, after half of the time each: two minutes
let until = 0;
let times = 0;
let clock = 0;

function wanted() {
  return line.matches(":hover") || line.querySelector(":focus-visible") !== null;
}

// The server removes what was deleted when its time is over, so it is told that somebody is still deciding.
function prolong() {
  times += 1;
  until = Date.now() + OFFERED;
  const form = line.querySelector("[data-waits]");
  if (!form) return;
  const chats = new FormData(form).getAll("chat");
  htmx.ajax("POST", form.getAttribute("hx-post"), { source: line, swap: "none", values: { do: "wait", chat: chats } });
}

function look() {
  const left = until - Date.now();
  if (left > 0 && left <= OFFERED / 2 && times < MOST && wanted()) prolong();
  if (left > 0) return;
  clearInterval(clock);
  const focused = line.contains(document.activeElement);
  line.replaceChildren();
  if (focused) document.querySelector(".sidebar-new").focus();
}

document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target !== line) return;
  times = 0;
  until = Date.now() + OFFERED;
  clearInterval(clock);
  clock = setInterval(look, 500);
});
