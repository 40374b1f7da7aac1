// The conversation opens at its end and follows it as long as the reader is there; otherwise it stays put
// and offers the way down.

const log = document.querySelector("[data-log]");
const jump = document.querySelector("[data-jump]");
const NEAR = 24; // pixels that still count as the end
let following = true;
let last = 0;

function distance() {
  return log.scrollHeight - log.clientHeight - log.scrollTop;
}

// Setting what is set already would have the page styled again.
function offer(way) {
  if (jump.hidden === way) jump.hidden = !way;
}

function toEnd() {
  following = true;
  log.scrollTop = log.scrollHeight;
  last = log.scrollTop;
  offer(false);
}

function scrolled() {
  const up = log.scrollTop < last - 1;
  last = log.scrollTop;
  if (distance() <= (up ? 1 : NEAR)) following = true;
  else if (up) following = false;
  offer(!following && distance() > NEAR);
}

function grew() {
  if (following) toEnd();
  else offer(distance() > NEAR);
}

if (log) {
  toEnd();
  log.addEventListener("scroll", scrolled, { passive: true });
  const observer = new ResizeObserver(grew);
  observer.observe(log);
  observer.observe(log.firstElementChild);
  document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
    if (detail.target.id === "messages") observer.observe(log.firstElementChild); // it may be another one now
  });
  jump.querySelector("button").addEventListener("click", () => {
    toEnd();
    log.focus({ preventScroll: true });
  });
  document.addEventListener("accepted", toEnd); // one's own new message is worth going down for
}
