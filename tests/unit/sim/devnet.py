"""The devnet of the recordings, simulated: the same accounts, the same miner, the same claims from the genesis."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from node.actors.market import DealProposal
from node.actors.verifreg import StoredClaim
from node.address import PROTOCOL_BLS, actor_address, parse_address
from node.cid import parse_cid
from node.sim.chain import Options, SimulatedChain
from node.sim.genesis import Genesis, GenesisAccount, GenesisMiner
from node.sim.rpc.methods import Node
from node.sim.rpc.tokens import Tokens
from node.sim.rules import Rules
from node.sim.state import StoredDeal

GENESIS_TIME = 1785384783
_GENESIS_PIECE = parse_cid("baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq")
_MINER_ADDRESS = parse_address("f2odta3snjq5iey5yphbxbomasnsr5krtkaaa7lki")


def accounts_file(folder: Path) -> dict[str, dict[str, Any]]:
    """The devnet's throwaway keys by name."""
    found: dict[str, dict[str, Any]] = json.loads((folder / "accounts.json").read_text())
    return found


def devnet_genesis(accounts: dict[str, dict[str, Any]], *, version: int = 28) -> Genesis:
    """The start of the recorded devnet."""
    listed = tuple(
        GenesisAccount(actor_id=int(one["id"][2:]), address=parse_address(one["address"]), balance_attofil=10**24)
        for one in accounts.values()
        if "id" in one
    )
    owner = int(accounts["miner_owner"]["id"][2:])
    claim = StoredClaim(1000, owner, _GENESIS_PIECE, 32 << 30, 3675536, 3934736, 0, 1)
    proposal = DealProposal(
        _GENESIS_PIECE, 32 << 30, True, actor_address(owner), actor_address(1000), "0", 1, 3675537, 0, 0, 0
    )
    deal = StoredDeal(proposal, sector=1, sector_start_epoch=0)
    return Genesis(
        accounts=listed,
        miners=(GenesisMiner(actor_id=1000, owner_id=owner, worker_id=owner, address=_MINER_ADDRESS),),
        claims=((1, claim), (2, replace(claim, sector=2))),
        deals=((0, deal), (1, replace(deal, proposal=replace(proposal, label="1"), sector=2))),
        network_version=version,
        next_actor_id=1002,
    )


def devnet(
    folder: Path,
    *,
    version: int = 28,
    upgrades: tuple[tuple[int, int], ...] = (),
    blocks: int = 1,
    genesis_time: int = GENESIS_TIME,
) -> Node:
    """A node of the simulated devnet. Its wallet holds the recorded keys and none of the chain's own."""
    accounts = accounts_file(folder)
    options = Options(
        network_name="testing",
        genesis_time=genesis_time,
        rules=Rules(min_verified_bytes=256),
        genesis=devnet_genesis(accounts, version=version),
        blocks_per_tipset=(blocks, blocks),
        upgrades=upgrades,
    )
    chain = SimulatedChain(options)
    chain.wallet.secp256k1.clear()
    chain.wallet.bls.clear()
    for one in accounts.values():
        address = parse_address(one["address"])
        if address.protocol == PROTOCOL_BLS:
            chain.wallet.add_bls(address)
        else:
            chain.wallet.add_secp256k1(base64.b64decode(one["private_key_b64"]))
    return Node(chain, Tokens(b"secret"))
