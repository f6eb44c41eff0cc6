// Signs texts with a wallet of this browser (EIP-1193, found by EIP-6963). Every form works without this file.
//
//   sign in: accounts ─► the text for the account ─► personal_sign ─► a session
//   decide:  the text that the page shows ─► personal_sign ─► into the form, which is sent as any form is

const DISCOVERY_MS = 300;
const REFUSED = 4001; // EIP-1193: the person said no
const BUSY = -32002; // the wallet shows another question

const wallets = new Map(); // name and provider, by the wallet's own id

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
}

async function decide(provider, form) {
  if (!form.elements.comment.reportValidity()) return false;
  const account = (await accounts(provider)).find((one) => isSame(one, form.dataset.signer));
  if (!account) throw new Error(`choose ${form.dataset.signer} in the wallet: you are signed in by that address.`);
  form.elements.signature.value = await signed(provider, account, form.elements.message.value);
  form.requestSubmit(form.querySelector("[data-decides]"));
  return true;
}

function offer(place, words, act) {
  const list = place.querySelector("[data-wallet-list]"), says = place.querySelector("[data-wallet-says]");
  list.replaceChildren(...[...wallets.values()].map(({ name, provider }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${list.dataset.words ?? words} ${name}`;
    button.addEventListener("click", async () => {
      button.disabled = true;
      says.textContent = "Look at your wallet, and read what it shows.";
      const stay = await act(provider).then((isDone) => (isDone === false ? "" : null), said);
      says.textContent = stay ?? "Signed; sending.";
      button.disabled = stay === null;
    });
    return button;
  }));
  list.hidden = place.hidden = false;
  place.querySelector("[data-paste]:not(:has(input:not(:placeholder-shown)))")?.removeAttribute("open");
}

function offerAll() {
  const door = document.querySelector("[data-wallets]");
  if (door) offer(door, "Sign in with", (provider) => signIn(provider, door.dataset.next));
  const form = document.querySelector("form[data-signer]");
  if (form) offer(form, "Sign with", (provider) => decide(provider, form));
}

addEventListener("eip6963:announceProvider", ({ detail }) => {
  const { info, provider } = detail ?? {};
  if (!info?.uuid || !provider?.request) return;
  wallets.set(info.uuid, { name: String(info.name ?? "a wallet").slice(0, 40), provider });
  offerAll();
});
dispatchEvent(new Event("eip6963:requestProvider"));
setTimeout(() => {
  if (wallets.size || !window.ethereum?.request) return;
  wallets.set("", { name: "this browser’s wallet", provider: window.ethereum });
  offerAll();
}, DISCOVERY_MS);

// A review that was decided elsewhere meanwhile: what was typed stays, deciding doesn't.
function closeDeciding() {
  if (!document.querySelector("[data-closed]")) return;
  document.querySelectorAll("form[data-deciding] [data-decides], form[data-deciding] [data-wallet-list] button").forEach((button) => {
    button.disabled = true;
  });
}
document.addEventListener("renewed", closeDeciding);
