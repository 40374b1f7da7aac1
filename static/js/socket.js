// The line to the server: says what the page shows whenever it connects, tells when it is down, and does not
// trust a silence. It keeps its own timetable, so that a return to the tab or the network is not waited out.

import { gettext } from "./words.js";

const host = document.querySelector("[data-socket]");
const SILENCE = 40_000; // the server speaks every 15 seconds
const PATIENCE = 10_000; // for a connection to come about
const LONGEST = 2_500; // between two tries: a page is right again within three seconds of the server's return
const REPORT = 32_768; // characters after which the server is told how many frames were taken in
const GONE = 4401;
const CLOSED = gettext("This chat is no longer open to you here. Your text is kept. Reload the page to see why.");
const DELETED = 4410;
const REMOVED = gettext("This chat was deleted. Your text is kept.");
const RETURNS = 150_000; // in which it may be brought back, from another page too
const ASK_AGAIN = 5_000;
const TEMPORARY = gettext("This temporary chat is over, or no longer open to you here. Your text is kept.");
const FULL = 4503; // as many chats are open as may be, by this person or by all
const CROWDED = 20_000; // the shortest wait for room, and half of the longest
const REFUSALS = 2; // tries in vain after which it is asked each time whether the chat is still open to us
const SETTLED = 1_000;
const NEVER = 2 ** 31 - 1;

let socket = null;
let wrapper = null;
let timer = 0;
let tries = 0;
let heard = 0;
let over = false;
let crowded = false;
let deleted = 0; // until when the chat may be brought back; 0 while it is there
let frames = 0;
let unreported = 0;

function tell(sentence) {
  const line = document.getElementById("connection");
  if (line.textContent !== sentence) line.textContent = sentence;
}

// A closing socket delivers nothing more, and without handlers it brings no second connection about.
function retire(old) {
  if (!old) return;
  old.onopen = old.onclose = old.onerror = null;
  old.close();
}

function connect(address) {
  clearTimeout(timer);
  retire(socket);
  const url = new URL(address, location.href);
  url.searchParams.set("state", document.getElementById("state")?.dataset.state ?? "");
  url.searchParams.set("title", document.querySelector("title").dataset.own ?? document.title);
  socket = new WebSocket(url);
  heard = Date.now();
  frames = unreported = 0;
  return socket;
}

function reconnect() {
  clearTimeout(timer);
  if (over || !wrapper) return;
  if (!crowded && !deleted && (tries > 0 || socket.readyState !== WebSocket.OPEN)) tell(gettext("Reconnecting…"));
  wrapper.reconnect();
}

function later() {
  const longest = Math.min(LONGEST, 1000 * 2 ** tries);
  tries += 1;
  timer = setTimeout(reconnect, Math.random() * longest);
}

function opened({ detail }) {
  wrapper = detail.socketWrapper;
  tries = 0;
  heard = Date.now();
  if (deleted) shut("");
  deleted = 0;
  if (crowded) setTimeout(settle, SETTLED, socket);
  else tell("");
}

// Where there is no room, that is told by a close right behind the opening.
function settle(opened) {
  if (opened !== socket || socket.readyState !== WebSocket.OPEN) return;
  crowded = false;
  tell("");
}

function closed({ detail }) {
  wrapper = detail.socketWrapper;
  if (detail.event.code === GONE) {
    end();
    return;
  }
  if (detail.event.code === DELETED) {
    deleted = Date.now() + RETURNS;
    shut(REMOVED);
  }
  if (deleted) {
    over = Date.now() > deleted;
    timer = setTimeout(reconnect, ASK_AGAIN);
    return;
  }
  if (detail.event.code === FULL) {
    crowded = true;
    tell(gettext("Too many chats are open. Close some: this one is then kept up to date again."));
    timer = setTimeout(reconnect, CROWDED * (1 + Math.random()));
    return;
  }
  tell(gettext("Reconnecting…"));
  if (tries >= REFUSALS) askWhy();
  later();
}

// A handshake that is turned away looks like a server that is gone. The page itself tells which it is.
async function askWhy() {
  const reply = await fetch(location.href, { redirect: "manual" }).catch(() => null);
  if (reply?.type !== "opaqueredirect" && reply?.status !== 404) return;
  clearTimeout(timer);
  end();
}

function end() {
  over = true;
  shut("temporary" in host.dataset ? TEMPORARY : CLOSED);
}

// Why nothing can be sent here; "" where it can.
function shut(sentence) {
  tell("");
  document.getElementById("composer-error").textContent = sentence;
  if (sentence) host.dataset.closed = sentence;
  else delete host.dataset.closed;
}

// The server sends no more than it knows to arrive.
function took({ detail }) {
  heard = Date.now();
  frames += 1;
  unreported += detail.message.length;
  if (unreported < REPORT) return;
  unreported = 0;
  socket.send(JSON.stringify({ taken: frames }));
}

function watch() {
  if (over || document.hidden) return;
  const silence = Date.now() - heard;
  if (socket?.readyState === WebSocket.OPEN && silence > SILENCE) {
    tell(gettext("Reconnecting…"));
    reconnect();
  } else if (socket?.readyState === WebSocket.CONNECTING && silence > PATIENCE) {
    socket.close(); // its close event brings the next try
  }
}

function returned() {
  if (document.hidden || over) return;
  if (socket?.readyState === WebSocket.OPEN) watch();
  else if (socket?.readyState !== WebSocket.CONNECTING) reconnect();
}

if (host) {
  htmx.config.wsReconnectDelay = () => NEVER;
  htmx.createWebSocket = connect;
  host.addEventListener("htmx:wsOpen", opened);
  host.addEventListener("htmx:wsClose", closed);
  host.addEventListener("htmx:wsBeforeMessage", took);
  setInterval(watch, 5000);
  document.addEventListener("visibilitychange", returned);
  window.addEventListener("online", reconnect);
  document.addEventListener("htmx:afterRequest", () => deleted && reconnect()); // it may have been "Undo"
  window.addEventListener("pageshow", (event) => event.persisted && reconnect());
}
