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
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog");
  const action = keys[event.key];
  if (!action || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
});

function copyButtons() {
  [...document.querySelectorAll("[data-copy]")].filter((holder) => !withButtons.has(holder)).forEach(copyButton);
}

copyButtons();
document.addEventListener("renewed", copyButtons);
document.querySelectorAll("[data-keys]").forEach((hint) => { hint.hidden = false; });
