"""A service whose notaries look at it with a browser: real reviews, real keys, a wallet that a page finds."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from coincurve import PrivateKey
from playwright.async_api import Browser, Page

from explorer.demo.story import CHAPTERS
from explorer.signatures.ethereum import checksummed, eth_address_of_key
from node.address import Address
from tests.e2e.browsing import Visit
from tests.e2e.parties import Answer, ask, eth_sign, f1_sign
from tests.e2e.program import Filplus, program_with_demo_records
from tests.patience import PATIENCE_S
from tests.unit.signatures.builders import OTHER_F1, PUBLISHER_F1, secret

FILPLUS_CID, PAST_CID = CHAPTERS[0].cids[0], CHAPTERS[2].cids[0]
TIB = 1 << 40
JOB = {
    "Name": "climate-regrid",
    "Type": "batch",
    "Labels": {"project": "era5"},
    "Tasks": [
        {
            "Name": "main",
            "Engine": {
                "Type": "docker",
                "Params": {"Image": "ghcr.io/example/regrid:2.1", "Parameters": ["regrid", "--step", "0.25"]},
            },
            "InputSources": [{"Source": {"Type": "ipfs", "Params": {"CID": FILPLUS_CID}}, "Target": "/inputs"}],
            "ResultPaths": [{"Name": "grid", "Path": "/outputs"}],
            "Publisher": {"Type": "ipfs"},
            "Resources": {"CPU": "4", "Memory": "16GB"},
            "Network": {"Type": "None"},
        }
    ],
}
RESULTS = {
    "outputs": [
        {"cid": "bafybeif53axbvb3gbbidww37e36kahbfzui4ypp44uqyjs7bvrdmvjesfq", "size_bytes": 200 << 30},
        {"cid": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", "size_bytes": 4711},
    ],
    "exit_code": 0,
    "log_tail": "reading 1460 files\r\n\x1b[32mgrid 0.25° written\x1b[0m\r\ndone in 00:41:07\n",
}


@dataclass
class Dashboard:
    """A service with a cluster that asks, and notaries: Ben with an f1 key, and many an Ada with a wallet."""

    program: Filplus
    url: str
    cluster_key: str
    number: int = 0
    reported: list[dict[str, Any]] = field(default_factory=list)

    def report(self, *, proven: bool = True, **changes: Any) -> dict[str, Any]:
        """A new review, its publisher's proof given."""
        self.number += 1
        body = {
            "job_id": f"regrid-{self.number}",
            "job": JOB,
            "cids": [FILPLUS_CID],
            "publisher": str(PUBLISHER_F1),
            "requested_bytes": str(TIB),
            "results": RESULTS,
        }
        answer = ask(f"{self.url}/reviews", body | changes, key=self.cluster_key)
        assert answer.status == 201, answer.document
        review = dict(answer.document)
        if proven:
            path = f"{self.url}/reviews/{review['id']}/publisher-proof"
            text = ask(path, key=self.cluster_key).document["message"]
            proof = {"message": text, "signature": f1_sign(secret("publisher"), text)}
            assert ask(path, proof, key=self.cluster_key).status == 200
        self.reported.append(review)
        return review

    def show(self, review: dict[str, Any]) -> dict[str, Any]:
        """The review as it is now."""
        return dict(ask(f"{self.url}/reviews/{review['id']}", key=self.cluster_key).document)

    def decide_elsewhere(self, review: dict[str, Any], decision: str) -> Answer:
        """Ben's decision, from a terminal."""
        path = f"{self.url}/reviews/{review['id']}"
        text = ask(f"{path}/approval?decision={decision}&address={OTHER_F1}").document["message"]
        signature = f1_sign(secret("another notary"), text)
        body = {"decision": decision, "comment": "seen elsewhere", "message": text, "signature": signature}
        return ask(f"{path}/decisions", body)


@contextmanager
def open_dashboard() -> Iterator[Dashboard]:
    """A service over the demo's records of mainnet, as long as the context lasts."""
    with program_with_demo_records() as program:
        notaries = [(OTHER_F1, "Ben"), *((wallet.address, "Ada") for wallet in _ALL_WALLETS)]
        with ThreadPoolExecutor(4) as executor:
            added = [
                executor.submit(program, "--json", "notary", "add", str(who), "--name", name) for who, name in notaries
            ]
        for one in added:
            printed(one.result())
        key = printed(program("--json", "cluster", "add", "berlin"))["key"]
        with program.serving() as url:
            yield Dashboard(program, url, key)


def printed(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON that a command printed."""
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


WALLET = """
const provider = { request: async ({ method, params }) => {
  if (method === "eth_requestAccounts") return [ACCOUNT];
  if (method !== "personal_sign") throw Object.assign(new Error(`no method ${method}`), { code: -32601 });
  const answer = await window.walletSigns(params[0], params[1]);
  if (answer === null) throw Object.assign(new Error("User rejected the request."), { code: 4001 });
  return answer;
} };
const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({
  info: { uuid: "350670db-19fa-4704-a166-e52e178b59d2", name: "Test Wallet", rdns: "test", icon: "" }, provider }) }));
addEventListener("eip6963:requestProvider", announce);
announce();
"""


WALLETS = 12
"""So many notaries have a wallet: one may only send so many requests a minute, and each test is another one."""


@dataclass
class Wallet:
    """An Ethereum wallet with a key; what it signs is done by eth-account. `texts` are those that it was shown.

    Its person answers at once, or where there is an `answer`, once that is set.
    """

    key: bytes
    is_willing: bool = True
    answer: asyncio.Event | None = None
    texts: list[str] = field(default_factory=list)

    @property
    def address(self) -> Address:
        """The address of its key."""
        return eth_address_of_key(PrivateKey(self.key).public_key.format(compressed=False))

    @property
    def account(self) -> str:
        """The account as wallets name it."""
        eth = self.address.to_eth()
        assert eth is not None
        return checksummed(bytes.fromhex(eth[2:]))

    async def put_into(self, page: Page, *, legacy: bool = False) -> None:
        """Has the page's scripts find it: announced by EIP-6963, or as `window.ethereum`."""
        await page.expose_function("walletSigns", self.sign)
        script = WALLET.replace("ACCOUNT", json.dumps(self.account))
        if legacy:
            script = script[: script.index("const announce")] + "window.ethereum = provider;"
        await page.add_init_script(f"(() => {{ {script} }})()")

    async def sign(self, message: str, account: str) -> str | None:
        """`personal_sign`, as and when the person decides."""
        text = bytes.fromhex(message.removeprefix("0x")).decode()
        self.texts.append(text)
        if self.answer is not None:
            await self.answer.wait()
        return eth_sign(self.key, text) if self.is_willing else None


_ALL_WALLETS = [Wallet(secret(f"wallet {number}")) for number in range(WALLETS)]
_WALLETS = cycle(_ALL_WALLETS)


@asynccontextmanager
async def visit_with_wallet(
    browser: Browser, url: str, *, legacy: bool = False, **options: Any
) -> AsyncIterator[tuple[Visit, Wallet]]:
    """A visit by somebody with a wallet in the browser."""
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(1000 * PATIENCE_S)
    page, wallet = await context.new_page(), next(_WALLETS)
    wallet.is_willing, wallet.answer = True, None
    await wallet.put_into(page, legacy=legacy)
    yield Visit(page, url), wallet
    await context.close()


async def sign_in(visit: Visit, leads_to: str = "/reviews") -> None:
    """Signs in by the wallet."""
    await visit.go(leads_to)
    await visit.page.click("[data-wallet-list] button")
    await visit.page.wait_for_function(
        "() => document.querySelector('.who, [data-wallet-says]')?.innerText.match(/Sign out|work/)"
    )
    assert visit.page.url == visit.base + leads_to, await visit.text()
