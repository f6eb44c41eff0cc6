// Comfort only: every page works without this file.
"use strict";

const search = () => document.querySelector("[data-search]");
const withButtons = new WeakSet();
const help = document.getElementById("keyboard");
const shownRows = () => [...document.querySelectorAll("a[data-row]")].filter((row) => row.checkVisibility());

function copyButton(holder) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.dataset.added = "";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${holder.dataset.copy}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(holder.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  if (holder.matches("h1")) holder.after(button);
  else holder.append(button);
  withButtons.add(holder);
}

function move(step) {
  const rows = shownRows();
  const now = rows.indexOf(document.activeElement);
  const next = now < 0 ? (step > 0 ? 0 : rows.length - 1) : now + step;
  rows[Math.min(Math.max(next, 0), rows.length - 1)]?.focus();
}

const keys = {
  "/": () => { search()?.focus(); search()?.select(); },
  j: () => move(1),
  k: () => move(-1),
  "?": () => showHelp(),
};

// A decision is left by one key, and sent by another; what was typed is kept as a draft.
function leaveText(event) {
  const cancel = document.querySelector("a[data-cancels]");
  const isElsewhere = event.target.closest("input, textarea, select, dialog[open]") && !event.target.closest("form")?.contains(cancel);
  if (event.isComposing || document.querySelector("dialog[open]")) return;
  if (cancel && !isElsewhere) cancel.click();
  else if (event.target.matches("textarea")) event.target.blur();
}

function sendText(event) {
  if (!event.target.matches("textarea") || event.isComposing) return;
  const buttons = [...event.target.form.querySelectorAll("[data-wallet-list] button, button[name=action]")];
  buttons.find((button) => button.checkVisibility())?.click();
}

function showHelp() {
  const isUseful = { rows: shownRows().length > 0, search: search() !== null };
  help.querySelectorAll("[data-needs]").forEach((line) => { line.hidden = !isUseful[line.dataset.needs]; });
  help.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") leaveText(event);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) sendText(event);
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog[open]");
  const link = document.querySelector(`[data-hotkey="${CSS.escape(event.key)}"]`);
  const action = keys[event.key] ?? (link && (() => link.click()));
  if (!action || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
});

// What was typed and not sent yet outlives a reload, and signing in again; it goes with the tab, or once it was sent.
const draftKey = (field) => `draft ${field.dataset.draft}`;
const isSent = ["#decided", "#said"].includes(location.hash);

function restoreDraft(field) {
  field.form?.addEventListener("submit", () => sessionStorage.setItem("sending", draftKey(field)));
  field.value ||= sessionStorage.getItem(draftKey(field)) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(draftKey(field), field.value));
}

function leave() {
  Object.keys(sessionStorage).filter((key) => key.startsWith("draft ")).forEach((key) => sessionStorage.removeItem(key));
  localStorage.removeItem("notary");
}

// Pages for everybody are the same for everybody, so that caches may keep them: who is signed in is asked apart, by
// browsers that had a page of a notary's before.
const notary = document.querySelector(".top .who a");

async function showNotary() {
  if (notary) localStorage.setItem("notary", "1");
  if (notary || !localStorage.getItem("notary")) return;
  const answer = await fetch("/me", { headers: { Accept: "application/json" }, cache: "no-store" });
  if (answer.status === 401) localStorage.removeItem("notary");
  if (!answer.ok) return;
  const me = await answer.json();
  const template = document.querySelector("template[data-who]");
  const form = template.content.firstElementChild.cloneNode(true);
  const link = form.querySelector("a");
  link.textContent = me.name;
  link.title = `Signed in as ${me.name}, ${me.id}`;
  form.addEventListener("submit", leave);
  template.after(form);
  document.querySelectorAll("[data-notarys]").forEach((one) => { one.hidden = false; });
}

function copyButtons() {
  [...document.querySelectorAll("[data-copy]")].filter((holder) => !withButtons.has(holder)).forEach(copyButton);
}

copyButtons();
if (isSent) sessionStorage.removeItem(sessionStorage.getItem("sending"));
sessionStorage.removeItem("sending"); // one answer, one draft: what is typed after it is another one
document.querySelectorAll("[data-draft]").forEach(restoreDraft);
document.querySelectorAll("[data-leaves]").forEach((form) => form.addEventListener("submit", leave));
document.addEventListener("renewed", copyButtons);
showNotary().catch(() => {}); // comfort only: without an answer the page is as it was
document.querySelectorAll("[data-keys]").forEach((hint) => { hint.hidden = false; });
