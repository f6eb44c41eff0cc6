"""The devnet of the recordings, simulated: the same accounts, the same miner, the same claims from the genesis."""

import base64
import json
from dataclasses import dataclass, replace
from typing import Any

from node.actors.market import DealProposal
from node.actors.verifreg import StoredClaim
from node.address import actor_address, parse_address
from node.cid import parse_cid
from node.signature import BLS, SECP256K1
from node.signing import address_of_key, secret_key_from_bytes
from node.sim.chain import Options, SimulatedChain
from node.sim.genesis import Genesis, GenesisAccount, GenesisMiner
from node.sim.keys import derived_key
from node.sim.rpc.methods import Node
from node.sim.rpc.tokens import Tokens
from node.sim.rules import Rules
from node.sim.state import StoredDeal
from tests.recordings_player import RECORDINGS

GENESIS_TIME_S = 1785384783
RECORDED_AT_S = 1795385700
_GENESIS_PIECE = parse_cid("baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq")
_OTHERS = (81, 111, 114, 1001)
"""Accounts of the genesis that nobody asks anything but whether they are there."""
_MINER_ADDRESSES = (parse_address("f2odta3snjq5iey5yphbxbomasnsr5krtkaaa7lki"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How the devnet of a recording was started."""

    network_version: int = 28
    upgrades: tuple[tuple[int, int], ...] = ()
    miners: int = 1
    genesis_time_s: int = GENESIS_TIME_S
    now_s: int = RECORDED_AT_S
    """What a clock on the wall said: only the gateway looks at one."""
    events_enabled: bool = True
    eth_enabled: bool = True


def accounts_file() -> dict[str, dict[str, Any]]:
    """The devnet's throwaway keys by name."""
    found: dict[str, dict[str, Any]] = json.loads((RECORDINGS / "accounts.json").read_text())
    return found


def devnet_genesis(accounts: dict[str, dict[str, Any]], setup: Setup) -> Genesis:
    """The start of the recorded devnet."""
    listed = tuple(
        GenesisAccount(actor_id=int(one["id"][2:]), address=parse_address(one["address"]), balance_attofil=10**24)
        for one in accounts.values()
        if "id" in one
    )
    others = tuple(
        GenesisAccount(actor_id=actor_id, address=address_of_key(derived_key(0, f"devnet/{actor_id}")))
        for actor_id in _OTHERS
    )
    owner = int(accounts["miner_owner"]["id"][2:])
    claim = StoredClaim(1000, owner, _GENESIS_PIECE, 32 << 30, 3675536, 3934736, 0, 1)
    proposal = DealProposal(
        _GENESIS_PIECE, 32 << 30, True, actor_address(owner), actor_address(1000), "0", 1, 3675537, 0, 0, 0
    )
    deal = StoredDeal(proposal, sector=1, sector_start_epoch=0)
    return Genesis(
        accounts=(*listed, *others),
        miners=tuple(
            GenesisMiner(actor_id=1000 + at, owner_id=owner, worker_id=owner, address=_MINER_ADDRESSES[at])
            for at in range(setup.miners)
        ),
        claims=((1, claim), (2, replace(claim, sector=2))),
        deals=((0, deal), (1, replace(deal, proposal=replace(proposal, label="1"), sector=2))),
        network_version=setup.network_version,
        next_actor_id=1002,
    )


def devnet(setup: Setup) -> Node:
    """A node of the simulated devnet. Its wallet holds the recorded keys and none of the chain's own."""
    accounts = accounts_file()
    options = Options(
        network_name="testing",
        genesis_time=setup.genesis_time_s,
        rules=Rules(min_verified_bytes=256),
        genesis=devnet_genesis(accounts, setup),
        blocks_per_tipset=(1, 1),
        upgrades=setup.upgrades,
    )
    chain = SimulatedChain(options)
    chain.wallet.clear()
    for one in accounts.values():
        kind = BLS if one["key_type"] == "bls" else SECP256K1
        chain.wallet.add(secret_key_from_bytes(base64.b64decode(one["private_key_b64"]), kind))
    return Node(
        chain,
        Tokens(b"secret", admin_token="the contract's own"),
        events_enabled=setup.events_enabled,
        eth_enabled=setup.eth_enabled,
    )
