"""Filecoin.State…: allocations, claims, deals, miners and their sectors."""

from functools import partial

from node.address import Address, actor_address
from node.sim.blocks import TipsetKey, link
from node.sim.errors import failure
from node.sim.rpc.documents import allocation_document, claim_document, deal_document
from node.sim.rpc.large import large_table
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.params import ADDRESS, FLAG, TIPSET_KEY, UINT64
from node.sim.state import Sector, State

_PROVING_PERIOD = 2880
_CHALLENGE_WINDOW = 60
_RAW_POWER = 68_719_476_736
_QUALITY_POWER = 687_194_570_752
_POST_PROOF_TYPE = 13
_PARTITION_SECTORS = 2349
_MAX_COLLATERAL = "2000000000000000000000000000"


def allocations(node: Node, client: Address, key: TipsetKey) -> object:
    """A client's allocations by their ids."""
    state = node.state(key)
    return large_table(state.registry.allocations, allocation_document, owner=node.actor_id(client, state))


def all_allocations(node: Node, key: TipsetKey) -> object:
    """All allocations by their ids."""
    return large_table(node.state(key).registry.allocations, allocation_document)


def allocation(node: Node, client: Address, allocation_id: int, key: TipsetKey) -> object:
    """A client's allocation, or null."""
    state = node.state(key)
    found = state.registry.allocations.get(allocation_id)
    if found is None or found.client_id != node.actor_id(client, state):
        return None
    return allocation_document(found)


def claims(node: Node, provider: Address, key: TipsetKey) -> object:
    """A provider's claims by their ids."""
    state = node.state(key)
    return large_table(state.registry.claims, claim_document, owner=node.actor_id(provider, state))


def all_claims(node: Node, key: TipsetKey) -> object:
    """All claims by their ids."""
    return large_table(node.state(key).registry.claims, claim_document)


def claim(node: Node, provider: Address, claim_id: int, key: TipsetKey) -> object:
    """A provider's claim, or null."""
    state = node.state(key)
    found = state.registry.claims.get(claim_id)
    if found is None or found.provider_id != node.actor_id(provider, state):
        return None
    return claim_document(found)


def market_deals(node: Node, key: TipsetKey) -> object:
    """All deals by their ids."""
    return large_table(node.state(key).market.deals, partial(deal_document, prefix=node.prefix))


def market_deal(node: Node, deal_id: int, key: TipsetKey) -> object:
    """A deal; RpcFault where it is gone or never was."""
    deal = node.state(key).market.deals.get(deal_id)
    if deal is None:
        reason = "deal may not have completed sealing before deal proposal start epoch, or deal may have been slashed"
        raise failure(f"deal {deal_id} not found - {reason}")
    return deal_document(deal, node.prefix)


def pending_allocation_id(node: Node, deal_id: int, key: TipsetKey) -> object:
    """The allocation of a verified deal that is not activated; 0 for none."""
    return node.state(key).market.allocation_ids.get(deal_id, 0)


def pending_allocation(node: Node, deal_id: int, key: TipsetKey) -> object:
    """The allocation of a verified deal that is not activated, or null."""
    state = node.state(key)
    allocation_id = state.market.allocation_ids.get(deal_id)
    found = None if allocation_id is None else state.registry.allocations.get(allocation_id)
    return None if found is None else allocation_document(found)


def _balance_document(state: State, actor_id: int) -> dict[str, object]:
    market = state.market
    return {"Escrow": str(market.escrow.get(actor_id, 0)), "Locked": str(market.locked.get(actor_id, 0))}


def market_balance(node: Node, address: Address, key: TipsetKey) -> object:
    """An address's escrow and what of it is locked."""
    state = node.state(key)
    return _balance_document(state, node.actor_id(address, state))


def market_participants(node: Node, key: TipsetKey) -> object:
    """The escrow of all who have one."""
    state = node.state(key)
    return {
        node.text(actor_address(actor_id)): _balance_document(state, actor_id)
        for actor_id in sorted(state.market.escrow)
    }


def collateral_bounds(node: Node, size: int, verified: bool, key: TipsetKey) -> object:
    """What a provider must and may put up for a deal."""
    del node, size, verified, key
    return {"Min": "0", "Max": _MAX_COLLATERAL}


def list_miners(node: Node, key: TipsetKey) -> object:
    """All miners."""
    return [node.text(actor_address(miner_id)) for miner_id in sorted(node.state(key).miners)]


def miner_id(node: Node, address: Address, state: State) -> int:
    """A miner's id; RpcFault where there is no such actor, or it is no miner."""
    found = state.actor_id(address)
    actor = node.actor(address, state)
    if found is None or found not in state.miners:
        raise failure(f"failed to load miner actor state: actor code is not miner: {actor.kind}")
    return found


def miner_info(node: Node, address: Address, key: TipsetKey) -> object:
    """Who a miner is."""
    state = node.state(key)
    miner = state.miners[miner_id(node, address, state)]
    owner = node.text(actor_address(miner.owner_id))
    return {
        "Owner": owner,
        "Worker": node.text(actor_address(miner.worker_id)),
        "NewWorker": "<empty>",
        "ControlAddresses": None,
        "WorkerChangeEpoch": -1,
        "PeerId": None,
        "Multiaddrs": None,
        "WindowPoStProofType": _POST_PROOF_TYPE,
        "SectorSize": node.chain.options.rules.sector_bytes,
        "WindowPoStPartitionSectors": _PARTITION_SECTORS,
        "ConsensusFaultElapsed": -1,
        "PendingOwnerAddress": None,
        "Beneficiary": owner,
        "BeneficiaryTerm": {"Quota": "0", "UsedQuota": "0", "Expiration": 0},
        "PendingBeneficiaryTerm": None,
    }


def miner_power(node: Node, address: Address, key: TipsetKey) -> object:
    """A miner's power: that of a small devnet, whatever its sectors are."""
    state = node.state(key)
    miner_id(node, address, state)
    power = {"RawBytePower": str(_RAW_POWER), "QualityAdjPower": str(_QUALITY_POWER)}
    return {"MinerPower": power, "TotalPower": dict(power), "HasMinPower": True}


def _sectors(state: State, miner_id: int) -> dict[int, Sector]:
    return dict(state.sectors.get(miner_id, {}))


def sector_count(node: Node, address: Address, key: TipsetKey) -> object:
    """How many sectors a miner has."""
    state = node.state(key)
    proven = [one for one in _sectors(state, miner_id(node, address, state)).values() if one.proven]
    return {"Live": len(proven), "Active": len(proven), "Faulty": 0}


def sector_info(node: Node, address: Address, number: int, key: TipsetKey) -> object:
    """A proven sector, or null."""
    state = node.state(key)
    sector = state.sector(miner_id(node, address, state), number)
    return None if sector is None or not sector.proven else sector_document(number, sector)


def sector_document(number: int, sector: Sector) -> dict[str, object]:
    """A proven sector as a node prints it."""
    return {
        "SectorNumber": number,
        "SealProof": sector.seal_proof,
        "SealedCID": link(sector.sealed_cid),
        "Activation": sector.activation_epoch,
        "Expiration": sector.expiration_epoch,
        "DealWeight": str(sector.deal_weight),
        "VerifiedDealWeight": str(sector.verified_weight),
        "InitialPledge": "0",
        "ExpectedDayReward": None,
        "ExpectedStoragePledge": None,
        "PowerBaseEpoch": sector.activation_epoch,
        "ReplacedDayReward": None,
        "SectorKeyCID": None,
        "Flags": 3 if sector.without_quality else 1,
        "DailyFee": "0",
    }


def precommit_info(node: Node, address: Address, number: int, key: TipsetKey) -> object:
    """An announced sector that is not proven, or null."""
    state = node.state(key)
    sector = state.sector(miner_id(node, address, state), number)
    if sector is None or sector.proven:
        return None
    unsealed = sector.unsealed_cid
    info = {
        "SealProof": sector.seal_proof,
        "SectorNumber": number,
        "SealedCID": link(sector.sealed_cid),
        "SealRandEpoch": 0,
        "DealIDs": None,
        "Expiration": sector.expiration_epoch,
        "UnsealedCid": None if unsealed is None else link(unsealed),
    }
    return {"Info": info, "PreCommitDeposit": "0", "PreCommitEpoch": 0}


def available_balance(node: Node, address: Address, key: TipsetKey) -> object:
    """A miner's funds, of which nothing is locked."""
    state = node.state(key)
    return str(state.actors[miner_id(node, address, state)].balance_attofil)


def proving_deadline(node: Node, address: Address, key: TipsetKey) -> object:
    """Where a miner is in its day of proofs, which begins at epoch 0 for all of them."""
    miner_id(node, address, node.state(key))
    epoch = node.tipset(key).height
    start = epoch - epoch % _PROVING_PERIOD
    index = (epoch - start) // _CHALLENGE_WINDOW
    opens = start + index * _CHALLENGE_WINDOW
    return {
        "CurrentEpoch": epoch,
        "PeriodStart": start,
        "Index": index,
        "Open": opens,
        "Close": opens + _CHALLENGE_WINDOW,
        "Challenge": opens - 20,
        "FaultCutoff": opens - 70,
        "WPoStPeriodDeadlines": _PROVING_PERIOD // _CHALLENGE_WINDOW,
        "WPoStProvingPeriod": _PROVING_PERIOD,
        "WPoStChallengeWindow": _CHALLENGE_WINDOW,
        "WPoStChallengeLookback": 20,
        "FaultDeclarationCutoff": 70,
    }


METHODS = (
    lotus("StateMinerAvailableBalance", available_balance, ADDRESS, TIPSET_KEY),
    lotus("StateMinerProvingDeadline", proving_deadline, ADDRESS, TIPSET_KEY),
    lotus("StateGetAllocations", allocations, ADDRESS, TIPSET_KEY),
    lotus("StateGetAllAllocations", all_allocations, TIPSET_KEY),
    lotus("StateGetAllocation", allocation, ADDRESS, UINT64, TIPSET_KEY),
    lotus("StateGetClaims", claims, ADDRESS, TIPSET_KEY),
    lotus("StateGetAllClaims", all_claims, TIPSET_KEY),
    lotus("StateGetClaim", claim, ADDRESS, UINT64, TIPSET_KEY),
    lotus("StateMarketDeals", market_deals, TIPSET_KEY),
    lotus("StateMarketStorageDeal", market_deal, UINT64, TIPSET_KEY),
    lotus("StateGetAllocationIdForPendingDeal", pending_allocation_id, UINT64, TIPSET_KEY),
    lotus("StateGetAllocationForPendingDeal", pending_allocation, UINT64, TIPSET_KEY),
    lotus("StateMarketBalance", market_balance, ADDRESS, TIPSET_KEY),
    lotus("StateMarketParticipants", market_participants, TIPSET_KEY),
    lotus("StateDealProviderCollateralBounds", collateral_bounds, UINT64, FLAG, TIPSET_KEY),
    lotus("StateListMiners", list_miners, TIPSET_KEY),
    lotus("StateMinerInfo", miner_info, ADDRESS, TIPSET_KEY),
    lotus("StateMinerPower", miner_power, ADDRESS, TIPSET_KEY),
    lotus("StateMinerSectorCount", sector_count, ADDRESS, TIPSET_KEY),
    lotus("StateSectorGetInfo", sector_info, ADDRESS, UINT64, TIPSET_KEY),
    lotus("StateSectorPreCommitInfo", precommit_info, ADDRESS, UINT64, TIPSET_KEY),
)
