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

// A link to a message opens there, where the message is shown.
function sought() {
  return location.hash.startsWith("#message-") && log.querySelector(`article${location.hash.replace(/[^#\w-]/g, "")}`);
}

function toMessage() {
  const message = sought();
  if (!message) return false;
  following = false;
  message.scrollIntoView({ block: "start" });
  last = log.scrollTop;
  offer(distance() > NEAR);
  return true;
}

if (log) {
  if (!toMessage()) toEnd();
  addEventListener("hashchange", toMessage);
  log.addEventListener("scroll", scrolled, { passive: true });
  const observer = new ResizeObserver(grew);
  observer.observe(log);
  observer.observe(log.querySelector(".log-inner"));
  document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
    if (detail.target.id !== "messages") return;
    observer.observe(log.querySelector(".log-inner")); // it may be another one now
    const offered = log.querySelector("[data-sought]");
    if (offered && toMessage()) offered.remove();
  });
  jump.querySelector("button").addEventListener("click", () => {
    toEnd();
    log.focus({ preventScroll: true });
  });
  document.addEventListener("accepted", toEnd); // one's own new message is worth going down for
}
