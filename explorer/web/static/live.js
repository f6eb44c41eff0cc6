// Follows /events and renews the page in place. Without this file, or while it can't reach the service, the page is what it was.
//
//   open ─► live ─► event ─► the page is fetched again, and what differs is put in ─► silence, error ─► not live ─► open again

const FIRST_PAUSE_MS = 1000, LONGEST_PAUSE_MS = 30000;
const SILENCE_MS = 40000; // more than two heartbeats
const HEAD_EVERY_MS = 3000; // a new epoch alone renews the page no more often
const SPREAD_MS = 1000; // so that not everybody asks in the same moment

const main = document.querySelector("main[data-events]");
const states = [...document.querySelectorAll("[data-live-state]")];
const announcer = document.querySelector("[data-announcer]");

let lastId = main.dataset.after ?? "";
let stream = null; // what ends the open stream
let again = 0; // the timer of the next attempt
let pauseMs = FIRST_PAUSE_MS;
let lostAt = null;
let changedAt = null;
let isOver = false; // who asks may no longer, as when the session has ended

const utc = (moment) => `${moment.toISOString().slice(11, 19)} UTC`;

// --- What the page says of itself

function show() {
  const silentSince = main.dataset.silentSince;
  const isLive = lostAt === null && !silentSince && !isOver;
  const words = isLive
    ? `Changes show by themselves.${changedAt ? ` The last one came at ${utc(changedAt)}.` : ""}`
    : isOver ? "You are no longer signed in. What you typed is kept:" : lostAt ? `since ${utc(lostAt)}; reconnecting.` : `The chain’s node has not been heard since ${silentSince}.`;
  for (const state of states) {
    const label = document.createElement("span");
    label.className = `tag ${isLive ? "good" : "wait"}`;
    label.textContent = isLive ? "Live" : "Not live";
    state.replaceChildren(label, ` ${words}`, ...(isOver ? [" ", signInLink()] : []));
    state.hidden = false;
  }
}

function signInLink() {
  const link = document.createElement("a");
  link.href = `/sign-in?${new URLSearchParams({ next: main.dataset.page ?? location.pathname + location.search })}`;
  link.textContent = "sign in again";
  return link;
}

function end() {
  if (isOver) return;
  isOver = true;
  clearTimeout(renewing);
  close();
  announce("You are no longer signed in.");
  show();
}

function announce(words) {
  announcer.textContent = words;
}

function beLive() {
  if (lostAt !== null) announce("Live again.");
  lostAt = null;
  pauseMs = FIRST_PAUSE_MS;
  show();
}

function beLost() {
  if (lostAt === null) {
    lostAt = new Date();
    announce("Not live; reconnecting.");
  }
  show();
}

// --- The page, renewed: nodes that stay the same stay, and with them focus, scrolling, selection and open details

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE
  ? node.id || node.dataset.key || node.getAttribute("aria-labelledby") || null : null);
const isAdded = (node) => node.nodeType === Node.ELEMENT_NODE && node.hasAttribute("data-added");
// A form that somebody fills in stays as it is, even where the fresh page has none.
const isKept = (node, keys) => node.nodeType === Node.ELEMENT_NODE && node.dataset.kept !== undefined && !keys.has(keyOf(node));
const isAlike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

function renew(old, fresh) {
  if (states.includes(old) || (old.dataset?.kept !== undefined)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  renewAttributes(old, fresh);
  renewChildren(old, fresh);
}

function renewAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    const isTheReaders = name === "open" && old.nodeName === "DETAILS";
    if (!fresh.hasAttribute(name) && !isTheReaders) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function renewChildren(old, fresh) {
  const coming = [...fresh.childNodes].filter((node) => !isAdded(node));
  const keys = new Set(coming.map(keyOf));
  const isStaying = (node) => isAdded(node) || isKept(node, keys);
  [...old.childNodes].filter((node) => !isStaying(node) && !keys.has(keyOf(node))).forEach((node) => node.remove());
  const left = new Set([...old.childNodes].filter((node) => !isStaying(node)));
  for (const child of coming) {
    const [next = null] = left;
    const found = [...left].find((node) => isAlike(node, child));
    if (found) {
      if (found !== next) old.insertBefore(found, next);
      left.delete(found);
      renew(found, child);
    } else {
      old.insertBefore(child, next);
    }
  }
  left.forEach((node) => node.remove());
}

const announced = () => [...document.querySelectorAll("[data-announced] .tag.big, [data-announced] h2, [data-announced] .lead")]
  .map((node) => node.textContent.trim()).join(": ");

function putIn(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const before = announced(), hadFocus = main.contains(document.activeElement);
  renew(main, fresh.querySelector("main"));
  document.title = fresh.title;
  if (hadFocus && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
  document.dispatchEvent(new Event("renewed"));
  if (announced() !== before) {
    changedAt = new Date();
    announce(`Changed. ${announced()}`);
    show();
  }
}

// --- When it is renewed

let renewing = null; // the timer
let dueAt = Infinity;
let renewedAt = -Infinity;
let isBusy = false;

function want(inMs) {
  const at = performance.now() + inMs;
  if (isOver || at >= dueAt) return;
  clearTimeout(renewing);
  dueAt = at;
  renewing = setTimeout(fetchPage, inMs);
}

async function fetchPage() {
  if (isBusy) {
    renewing = setTimeout(fetchPage, 100);
    return;
  }
  isBusy = true;
  dueAt = Infinity;
  try {
    const headers = { Accept: "text/html", ...unattended };
    const answer = await fetch(main.dataset.page ?? location.href, { headers, cache: "no-cache", redirect: "manual" });
    if (answer.type === "opaqueredirect") return end(); // to the page where one signs in
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    putIn(await answer.text());
    renewedAt = performance.now();
    show();
    if (stream?.isOpen) beLive();
  } catch {
    beLost();
    want(HEAD_EVERY_MS);
  } finally {
    isBusy = false;
  }
}

const unattended = { "Filplus-Unattended": "1" }; // so that an open page doesn't keep a session from ending
const spread = () => Math.random() * SPREAD_MS;
const happenings = {
  head: () => want(Math.max(0, renewedAt + HEAD_EVERY_MS - performance.now()) + spread()),
  cid: () => want(0),
  import: () => want(spread()),
  review: () => want(Math.max(0, renewedAt + HEAD_EVERY_MS - performance.now())),
  ended: end,
  reset: () => want(spread()),
  node: () => want(spread()),
  away: beLost,
  back: beLive,
};

// --- The stream. Read with fetch, not EventSource, which would not show heartbeats, nor tell why it was refused

function hear(block) {
  const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
  if (fields.id) lastId = fields.id;
  happenings[fields.event]?.();
}

async function read(mine) {
  const headers = { Accept: "text/event-stream", ...unattended, ...(lastId && { "Last-Event-ID": lastId }) };
  const answer = await fetch(main.dataset.events, { headers, cache: "no-store", signal: mine.ending.signal });
  if (answer.status === 401) return end();
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  mine.isOpen = true;
  beLive();
  if (!lastId) want(0); // nobody knows what happened since the page was made
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    mine.heardAt = performance.now();
    const blocks = (text + part.value).split("\n\n");
    text = blocks.pop();
    blocks.forEach(hear);
  }
}

async function open() {
  if (stream || isOver || document.hidden) return;
  clearTimeout(again);
  const mine = { ending: new AbortController(), isOpen: false, heardAt: performance.now() };
  stream = mine;
  const watch = setInterval(() => { if (performance.now() - mine.heardAt > SILENCE_MS) mine.ending.abort(); }, 1000);
  await read(mine).catch(() => {});
  clearInterval(watch);
  if (stream !== mine) return; // ended by ourselves
  stream = null;
  beLost();
  again = setTimeout(open, pauseMs * (0.75 + Math.random() / 2));
  pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
}

function close() {
  const mine = stream;
  stream = null;
  clearTimeout(again);
  mine?.ending.abort();
}

// A page that nobody sees holds no connection: a browser has few of them for one service.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
addEventListener("pageshow", open);
addEventListener("offline", () => { close(); beLost(); });
addEventListener("online", open);
open();
