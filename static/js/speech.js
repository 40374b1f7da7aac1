// An answer that is being written, for whoever listens instead of looking: its whole sentences, at most every three
// seconds, and once how it ended. The log itself is silent: it would be read out word by word.

import { gettext, interpolate } from "./words.js";

const log = document.querySelector("[data-log]");
const line = document.querySelector("[data-announce]");
const LIVE = ["pending", "running"];
const BLOCKS = "p, ul, ol, li, blockquote, h3, h4, h5, h6, div, .formula";
const SPELLED = "mi, mn, mo, mrow, mtext, mspace"; // of a formula that is heard as it is read
const PLAIN = ["text", gettext("text")]; // what a block of code is called that names no language
const EVERY = 3000;
const LOOK = 500;
const answers = new Map(); // those that were seen running, by the id of their article
const sentences = window.Intl?.Segmenter && new Intl.Segmenter(undefined, { granularity: "sentence" });
const names = new Set(); // what stands for something that is not read out
let spoken = 0;
let clock = 0;

// What is named instead of being read out.
function named(node) {
  if (node.matches("figure.code")) {
    const language = node.querySelector(".language").textContent;
    return PLAIN.includes(language) ? gettext("Code block.") : interpolate(gettext("Code block, %(language)s."), { language });
  }
  if (node.matches(".table, table")) return gettext("Table.");
  return node.matches("math[display=block]") ? gettext("Formula.") : "";
}

function words(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE || node.matches(".host")) return "";
  if (node.matches("[role=img]")) return node.getAttribute("aria-label");
  if (node.matches("br")) return " ";
  if (node.matches("math") && node.querySelector(`:not(${SPELLED})`)) return gettext("formula");
  const inside = [...node.childNodes].map(words).join("");
  return node.matches("a") ? inside.trim() : inside; // whose address is left out
}

// The parts of a block that stand for themselves, each as its words: paragraphs, items, and what is only named.
function pieces(block) {
  if (named(block)) {
    names.add(named(block));
    return [named(block)];
  }
  const found = [];
  let run = "";
  function cut() {
    if (run.trim()) found.push(run.replace(/\s+/g, " ").trim());
    run = "";
  }
  for (const node of block.childNodes) {
    if (node.nodeType === Node.ELEMENT_NODE && (node.matches(BLOCKS) || named(node))) {
      cut();
      found.push(...pieces(node));
    } else {
      run += words(node);
    }
  }
  cut();
  return found;
}

function cut(text) {
  return sentences ? [...sentences.segment(text)].map(({ segment }) => segment.trim()) : [text];
}

// The last words may go on, and only a letter behind a full stop tells that it was one.
function finished(text) {
  const all = cut(text);
  while (all.length && !/\p{L}/u.test(all.at(-1))) all.pop();
  return all.slice(0, -1);
}

function said(block, open) {
  const parts = pieces(block);
  return parts.flatMap((part, index) => {
    return open && !names.has(part) && index === parts.length - 1 ? finished(part) : cut(part);
  });
}

function blocks(article) {
  const text = article.querySelector("[data-text]");
  return [...text.children].flatMap((each) => (each.matches(".tail") ? [...each.children] : each));
}

// What was not said of an answer yet: sentences from `answer.block` on, of which so many are said.
function unsaid(article, answer) {
  const all = blocks(article);
  const found = [];
  for (let index = answer.block; index < all.length; index += 1) {
    const last = index === all.length - 1;
    const open = last && all[index].closest(".tail") !== null;
    const whole = said(all[index], open);
    found.push(...whole.slice(index === answer.block ? answer.said : 0));
    [answer.block, answer.said] = [index, Math.max(whole.length, index === answer.block ? answer.said : 0)];
  }
  while (found.length && found[0] === answer.known[0]) {
    found.shift();
    answer.known.shift();
  }
  if (found.length) answer.known = [];
  return found;
}

function ending(article) {
  return article.querySelector(".ending p")?.textContent.trim() || gettext("Answer finished.");
}

function look() {
  if (Date.now() - spoken < EVERY) return;
  const news = [];
  for (const [id, answer] of answers) {
    const article = document.getElementById(id);
    answer.away ||= !article; // what ended on another branch was not heard, and is read there
    if (!article) continue;
    const over = !LIVE.includes(article.dataset.status);
    if (over) answers.delete(id);
    if (over && answer.away) continue;
    news.push(...unsaid(article, answer));
    if (over) news.push(ending(article));
  }
  if (answers.size === 0) clock = clearInterval(clock);
  if (news.length) say(news.join(" "));
}

function say(text) {
  const words = document.createElement("p");
  words.textContent = text;
  line.replaceChildren(words); // a new element is said also where it says the same
  spoken = Date.now();
}

// An answer that carries another one on begins with its words, which stood there already: they are not said again.
let before = [];

function known(article) {
  const old = before.find((each) => each.dataset.depth === article.dataset.depth);
  return old && blocks(article).length ? blocks(old).flatMap((block) => said(block, false)) : [];
}

function listen() {
  for (const article of log.querySelectorAll("article[data-status]")) {
    if (!LIVE.includes(article.dataset.status) || answers.has(article.id)) continue;
    answers.set(article.id, { block: 0, said: 0, known: known(article) });
  }
  before = [];
  if (answers.size && !clock) clock = setInterval(look, LOOK);
}

if (log && line) {
  listen();
  document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
    if (detail.target.id === "messages") before = [...log.querySelectorAll("article[data-status]")];
  });
  document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
    if (detail.target.id === "messages") listen();
  });
}
