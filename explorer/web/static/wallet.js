// Signs texts with a wallet of this browser (EIP-1193, found by EIP-6963). Every form works without this file.
//
//   sign in: accounts ─► the text for the account ─► personal_sign ─► a session
//   decide:  the text that the page shows ─► personal_sign ─► into the form, which is sent as any form is
//
// Nothing is signed nor sent while the explorer doesn't answer: the browser would show an error in place of the page.

const DISCOVERY_MS = 300;
const REFUSED = 4001; // EIP-1193: the person said no
const BUSY = -32002; // the wallet shows another question

const SENT = "Signed; sending.";
const meanwhile = () => `${closing()?.dataset.closed || "This was decided"} while your wallet was open: nothing was sent. What you wrote is kept, and can be sent as a comment.`;

const OUTDATED = "The review was opened anew while your wallet was open: nothing was sent.";

const REACH_WITHIN_MS = 5000;
const UNSIGNED = "Not reached: the explorer doesn’t answer. Nothing was signed; try again.";
const UNSENT = "Not reached: the explorer doesn’t answer. Nothing was sent, and what you typed is kept; try again.";
const STILL_SIGNED = " The signature is kept too: your wallet won’t ask again.";

const wallets = new Set(); // the wallets' own ids
const signatures = new Map(); // by the text that they are under

const hex = (text) => `0x${[...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
const isSame = (a, b) => a.toLowerCase() === b.toLowerCase();

function said(error) {
  if (error?.code === REFUSED) return "You said no in the wallet. Nothing was sent.";
  if (error?.code === BUSY) return "The wallet waits for you: open it.";
  return error?.message ? `It didn’t work: ${error.message}` : "It didn’t work.";
}

async function answered(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error([body.detail, body.remedy].filter(Boolean).join(" ") || `status ${response.status}`);
  return body;
}

const accounts = (provider) => provider.request({ method: "eth_requestAccounts" });
const signed = (provider, account, text) => provider.request({ method: "personal_sign", params: [hex(text), account] });

async function signIn(provider, leadsTo) {
  const [account] = await accounts(provider);
  if (!account) throw new Error("the wallet gave no account.");
  const offer = await answered(await fetch(`/auth/nonce?${new URLSearchParams({ address: account })}`));
  const body = JSON.stringify({ message: offer.message, signature: await signed(provider, account, offer.message) });
  await answered(await fetch("/auth/verify", { method: "POST", headers: { "Content-Type": "application/json" }, body }));
  location.assign(leadsTo);
  return SENT;
}

// Blanks say nothing: told before the wallet is asked.
function isSaid(comment) {
  comment.setCustomValidity(comment.value.trim() ? "" : "Say in a sentence why.");
  comment.addEventListener("input", () => comment.setCustomValidity(""), { once: true });
  return comment.reportValidity();
}

async function decide(provider, form) {
  if (!isSaid(form.elements.comment)) return "";
  const text = form.elements.message.value;
  if (!signatures.has(text)) {
    if (!await isReached()) return UNSIGNED;
    const account = (await accounts(provider)).find((one) => isSame(one, form.dataset.signer));
    if (!account) throw new Error(`choose ${form.dataset.signer} in the wallet: you are signed in by that address.`);
    signatures.set(text, await signed(provider, account, text));
  }
  if (isClosed()) return meanwhile();
  if (isOutdated(form)) return OUTDATED;
  form.elements.signature.value = signatures.get(text);
  return await send(form, form.querySelector("[data-decides]")) || SENT;
}

// --- Sending

async function isReached() {
  try {
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(REACH_WITHIN_MS) });
    return answer.status < 500;
  } catch {
    return false;
  }
}

// Why the form wasn't sent by that button; nothing where it was.
async function send(form, button) {
  if (!await isReached()) return UNSENT + (signatures.has(form.elements.message?.value) ? STILL_SIGNED : "");
  if (button?.disabled) return isClosed() ? meanwhile() : OUTDATED;
  form.dataset.reached = "";
  form.requestSubmit(button);
  delete form.dataset.reached;
  return "";
}

let isSending = false;

document.addEventListener("submit", async (event) => {
  const form = event.target, says = form.querySelector("[data-says]");
  if (form.dataset.guarded === undefined || form.dataset.reached !== undefined) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // a draft counts as sent only once it is
  if (isSending) return;
  isSending = true;
  says.textContent = await send(form, event.submitter);
  isSending = false;
}, { capture: true });

// --- Wallets, and their buttons

// One question at a time: while a wallet shows one, or its answer is on its way, no other button asks anything.
const buttons = [];
let isAsking = false;

function settle() {
  for (const button of buttons) button.disabled = isAsking || (button.form !== null && isOver(button.form));
}

function walletButton(words, kind, says, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = kind;
  button.textContent = words;
  button.addEventListener("click", async () => {
    if (isAsking) return;
    isAsking = true;
    settle();
    says.textContent = "Look at your wallet, and read what it shows.";
    says.textContent = await act().catch(said);
    isAsking = says.textContent === SENT;
    settle();
  });
  buttons.push(button);
  return button;
}

function offer(place, name, act) {
  const list = place.querySelector("[data-wallet-list]"), says = place.querySelector("[data-wallet-says]");
  list.append(walletButton(`${list.dataset.words} ${name}`, list.dataset.kind ?? "", says, act));
  list.hidden = place.hidden = false;
}

// Who has a wallet here hardly pastes; but nothing closes under somebody's hands.
function closePasteBox(place) {
  const box = place.querySelector("[data-paste]");
  const isUsed = box?.contains(document.activeElement) || box?.querySelector("input:not(:placeholder-shown)");
  if (wallets.size === 1 && !isUsed) box?.removeAttribute("open");
}

function found(id, name, provider) {
  if (wallets.has(id)) return; // wallets announce themselves as often as they like
  wallets.add(id);
  const door = document.querySelector("[data-wallets]"), form = document.querySelector("form[data-signer]");
  if (door) offer(door, name, () => signIn(provider, door.dataset.next));
  if (form) {
    offer(form, name, () => decide(provider, form));
    closePasteBox(form);
  }
  closeDeciding();
}

// A review that was decided elsewhere meanwhile: what was typed stays, deciding doesn't.
const closing = () => document.querySelector("[data-closed]");
const isClosed = () => closing() !== null;

// One that was opened anew: a text of the round before would be refused.
const roundNow = () => document.getElementById("decided")?.dataset.round;
const isOutdated = (form) => form.dataset.signsRound !== undefined && form.dataset.signsRound !== roundNow();

const isOver = (form) => isClosed() || isOutdated(form);

function closeDeciding() {
  settle();
  for (const form of document.querySelectorAll("form[data-deciding]")) {
    form.querySelectorAll("[data-decides]").forEach((button) => { button.disabled = isOver(form); });
    form.querySelector("[data-outdated]")?.toggleAttribute("hidden", isClosed() || !isOutdated(form));
    form.querySelectorAll("[data-signing]").forEach((part) => { part.hidden = isClosed(); });
    form.querySelectorAll("[data-wallet-list]").forEach((list) => { list.hidden = isClosed() || !list.childElementCount; });
  }
  const title = document.getElementById("deciding-title");
  if (title) title.textContent = isClosed() ? title.dataset.afterwards : title.dataset.words;
}
document.addEventListener("renewed", closeDeciding);

// Back to a page that was left with an answer on its way: it can be given again.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) isAsking = false;
  closeDeciding();
});

addEventListener("eip6963:announceProvider", ({ detail }) => {
  const { info, provider } = detail ?? {};
  if (info?.uuid && provider?.request) found(info.uuid, String(info.name ?? "a wallet").slice(0, 40), provider);
});
dispatchEvent(new Event("eip6963:requestProvider"));
setTimeout(() => {
  if (!wallets.size && window.ethereum?.request) found("", "this browser’s wallet", window.ethereum);
}, DISCOVERY_MS);
