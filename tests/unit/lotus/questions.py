"""One question for every call of a `Chain`, for tests that put all of them."""

from contextlib import aclosing
from typing import Any

from node.address import parse_address
from node.chain.event_filter import EventFilter
from node.chain.tipset import TipSet, tipset_key_of
from node.cid import parse_cid
from node.lotus.client import LotusChain
from node.message import Message, SignedMessage
from node.signature import SECP256K1, Signature
from tests.unit.lotus.chains import Asking, whole

BLOCK = "bafy2bzacebrwqwp443wljvdapyjxvtm3m4ayxyhbhfuppn7nqzosvm6notpv4"
KEY = tipset_key_of(BLOCK)
PATH_START = tipset_key_of("bafy2bzacec5whwhgr57u3fxkx5e635rwaovicv6xix2v2pnaf5kazdq5erdfw")
PATH_END = tipset_key_of("bafy2bzacebv4gybcpct2meiknqsgbln2f4do6wj5mcyieweiojf4mrtzxcl4a")
CLIENT = parse_address("f1msintbslqlwlfrnuhegmvrbcdzdfjgi722uc37a")
PROVIDER = parse_address("f01000")
MESSAGE = Message(to=parse_address("f06"), sender=CLIENT, nonce=0, method=4, params=b"\x82")
SIGNED = SignedMessage(MESSAGE, Signature(SECP256K1, bytes(65)))
CID = parse_cid("bafy2bzacedbdsh7uqiislkwgnmpggsdenfebehlz4atkp34w6gvjdprowkmh6")
TIPSET = TipSet(
    key=KEY,
    epoch=261,
    parents=KEY,
    timestamp=0,
    parent_weight=0,
    parent_state_root=CID,
    parent_base_fee_attofil=0,
    miner_ids=(1000,),
)


async def _all(stream: Any) -> list[Any]:
    async with aclosing(stream) as items:
        return await whole(items)


async def _first(stream: Any) -> Any:
    async with aclosing(stream) as items:
        return await anext(items)


QUESTIONS: dict[str, Asking] = {
    "identity": LotusChain.identity,
    "node_version": LotusChain.node_version,
    "network_version": LotusChain.network_version,
    "head": LotusChain.head,
    "finality": LotusChain.finality,
    "path": lambda chain: chain.path(PATH_START, PATH_END),
    "tipset": lambda chain: chain.tipset(KEY),
    "tipset_at": lambda chain: chain.tipset_at(248),
    "actor_events": lambda chain: chain.actor_events(EventFilter(from_epoch=0)),
    "messages": lambda chain: chain.messages(KEY),
    "executed_messages": lambda chain: chain.executed_messages(TIPSET),
    "executed_messages_of": lambda chain: chain.executed_messages_of([TIPSET, TIPSET]),
    "deal": lambda chain: chain.deal(2),
    "deals": lambda chain: _all(chain.deals()),
    "claim": lambda chain: chain.claim(PROVIDER, 1),
    "claims_of": lambda chain: _all(chain.claims_of(PROVIDER)),
    "claims": lambda chain: _all(chain.claims()),
    "allocation": lambda chain: chain.allocation(CLIENT, 3),
    "allocations_of": lambda chain: _all(chain.allocations_of(CLIENT)),
    "allocations": lambda chain: _all(chain.allocations()),
    "verifier_datacap_bytes": lambda chain: chain.verifier_datacap_bytes(CLIENT),
    "client_datacap_bytes": lambda chain: chain.client_datacap_bytes(CLIENT),
    "registry_root": LotusChain.registry_root,
    "provider_ids": LotusChain.provider_ids,
    "actor": lambda chain: chain.actor(CLIENT),
    "actor_id": lambda chain: chain.actor_id(CLIENT),
    "account_key": lambda chain: chain.account_key(PROVIDER),
    "next_nonce": lambda chain: chain.next_nonce(CLIENT),
    "estimate_gas": lambda chain: chain.estimate_gas(MESSAGE, max_fee_attofil=10**17),
    "call": lambda chain: chain.call(MESSAGE),
    "push": lambda chain: chain.push(SIGNED),
    "search_message": lambda chain: chain.search_message(CID),
    "pending_messages": LotusChain.pending_messages,
}
SUBSCRIPTIONS: dict[str, Asking] = {
    "head_changes": lambda chain: _first(chain.head_changes()),
    "actor_event_stream": lambda chain: _first(chain.actor_event_stream(EventFilter(from_epoch=0))),
    "follow": lambda chain: _first(chain.follow(EventFilter())),
}
