// Comfort only: every page works without this file.
"use strict";

const search = () => document.querySelector("[data-search]");
const withButtons = new WeakSet();
const help = document.getElementById("keyboard");
const shownRows = () => [...document.querySelectorAll("a[data-row]")].filter((row) => row.getClientRects().length > 0);

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
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches("textarea")) event.target.blur();
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
document.querySelectorAll("[data-keys]").forEach((hint) => { hint.hidden = false; });
