// Earlier turns that are out of sight are neither laid out nor painted (thread.css). They keep the height that they had
// in a frame, so each must have been in one: where the page gets another width all are once more, and with each turn
// that comes the wait for that frame begins anew.

const log = document.querySelector("[data-log]");
const LATEST = 4; // these stay as they are
let width = 0;
let frame = 0;

function turns() {
  return [...log.querySelectorAll("#messages > .turn")];
}

function still() {
  for (const turn of turns().slice(0, -LATEST)) turn.setAttribute("data-still", "");
}

function stillAfterFrame() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    frame = requestAnimationFrame(still);
  });
}

if (log) {
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width === width) return;
    width = contentRect.width;
    for (const turn of turns()) turn.removeAttribute("data-still");
    stillAfterFrame();
  }).observe(log);
  document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
    if (detail.target.id === "messages") stillAfterFrame();
  });
  log.addEventListener("htmx:afterSwap", stillAfterFrame);
}
