"""Orders to the simulated chain, over its JSON-RPC as anybody gives them."""

import base64
from dataclasses import dataclass
from typing import Any

import aiohttp

from explorer.errors import FilplusError
from node.actors.verifreg import ADD_VERIFIED_CLIENT, AddVerifiedClientParams
from node.address import parse_address
from node.singletons import VERIFIED_REGISTRY


@dataclass(frozen=True, slots=True)
class Orderer:
    """Gives orders to the chain at a URL."""

    session: aiohttp.ClientSession
    url: str

    async def order(self, method: str, *params: Any) -> Any:
        """The result of a method; FilplusError with the chain's words where it refuses."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        async with self.session.post(self.url, json=request) as answer:
            document = await answer.json(content_type=None)
        if "error" in document:
            raise FilplusError(f"the simulated chain refuses {method}: {document['error']['message']}")
        return document["result"]

    async def grant(self, notary: str, client: str, datacap_bytes: int) -> str:
        """Has a notary, whose key the chain's wallet holds, give DataCap to a client; the message's CID."""
        params = ADD_VERIFIED_CLIENT.params.to_bytes(AddVerifiedClientParams(parse_address(client), datacap_bytes))
        message = {
            "Version": 0,
            "To": VERIFIED_REGISTRY.to_text(),
            "From": notary,
            "Nonce": 0,
            "Value": "0",
            "GasLimit": 0,
            "GasFeeCap": "0",
            "GasPremium": "0",
            "Method": ADD_VERIFIED_CLIENT.numbers[0],
            "Params": base64.b64encode(params).decode(),
        }
        pushed = await self.order("Filecoin.MpoolPushMessage", message, None)
        await self.order("Sim.Mine", 2)
        return str(pushed["CID"]["/"])

    async def head_epoch(self) -> int:
        """The chain's head."""
        return int((await self.order("Filecoin.ChainHead"))["Height"])

    async def datacap_bytes(self, client: str) -> int:
        """What a client may still spend."""
        return int(await self.order("Filecoin.StateVerifiedClientStatus", client, []) or 0)
