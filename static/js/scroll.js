// The conversation opens at its end and follows it as long as the reader is there; otherwise it stays put, whatever
// comes above what is read, and offers the way down. What is further up or down is fetched before it comes in sight.

const log = document.querySelector("[data-log]");
const jump = document.querySelector("[data-jump]");
const NEAR = 24; // pixels that still count as the end
const AHEAD = 800; // pixels beyond what is in sight
let following = true;
let last = 0;
let switching = false;
let held = null; // a turn that is to stay where it stood: by its depth, for another version may stand there afterwards

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
  const down = log.scrollTop > last + 1;
  last = log.scrollTop;
  if (distance() <= (up ? 1 : NEAR)) following = true;
  else if (up) following = false;
  offer(!following && distance() > NEAR);
  if (up) fetchAhead("earlier");
  if (down && !following) fetchAhead("later");
}

// What could not be fetched is fetched again when it is asked for by hand.
function fetchAhead(way) {
  const { top, bottom } = log.getBoundingClientRect();
  for (const link of log.querySelectorAll(`[data-further=${way}]:not(.htmx-request, [data-failed])`)) {
    const box = link.getBoundingClientRect();
    if (box.bottom > top - AHEAD && box.top < bottom + AHEAD) link.click();
  }
}

function inSight() {
  const { top } = log.getBoundingClientRect();
  return [...log.querySelectorAll("#messages > article")].find((turn) => turn.getBoundingClientRect().bottom > top);
}

function hold(turn) {
  held = turn && (switching || !following) ? { depth: turn.dataset.depth, top: turn.getBoundingClientRect().top } : null;
}

function settle() {
  const turn = held && log.querySelector(`article[data-depth="${held.depth}"]`);
  if (turn) {
    log.scrollTop += turn.getBoundingClientRect().top - held.top;
    last = log.scrollTop;
    following = distance() <= 1;
  }
  held = null;
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
  // Before anything is taken out of the old thread (thread.js).
  document.addEventListener(
    "htmx:oobBeforeSwap",
    ({ detail }) => {
      if (detail.fragment.querySelector("#messages")) hold(inSight());
    },
    { capture: true },
  );
  document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
    if (detail.target.id !== "messages") return;
    settle();
    observer.observe(log.querySelector(".log-inner")); // it may be another one now
    const offered = log.querySelector("[data-sought]");
    if (offered && toMessage()) offered.remove();
  });
  // Another version of a turn is looked at where it stands, also where the end comes to be far below it.
  log.addEventListener("htmx:beforeRequest", ({ target }) => {
    switching = target.closest(".versions") !== null;
  });
  document.addEventListener("htmx:afterRequest", () => {
    switching = false;
  });
  log.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const way = detail.requestConfig.elt.dataset.further;
    if (way === "earlier") hold(detail.target.nextElementSibling);
    if (way === "later") hold(detail.target.previousElementSibling);
  });
  log.addEventListener("htmx:afterSwap", settle);
  log.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.elt.dataset.further && !detail.successful) detail.elt.dataset.failed = "";
  });
  jump.querySelector("button").addEventListener("click", () => {
    toEnd();
    log.focus({ preventScroll: true });
  });
  document.addEventListener("accepted", toEnd); // one's own new message is worth going down for
}
