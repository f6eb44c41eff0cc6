"""Gas: what a call costs, the base fee, and who gets what of a message's fee.

Formulas are the network's; the costs of calls are round figures near those that a real node charged.
"""

from dataclasses import dataclass
from math import ceil

from node.sim.errors import OutOfGas
from node.sim.rules import BLOCK_GAS_TARGET, MINIMUM_BASE_FEE

ON_CHAIN_COMPUTE_GAS = 38_863
_ON_CHAIN_STORAGE_GAS = 521_800
_ON_CHAIN_GAS_PER_BYTE = 1_300
_INVOCATION_GAS = 600_000
_PARAMS_GAS_PER_BYTE = 100
_EVENT_GAS = 350_000
_CREATE_ACTOR_GAS = 4_000_000

_METHOD_GAS = {
    ("verifiedregistry", "AddVerifier"): 3_300_000,
    ("verifiedregistry", "RemoveVerifier"): 2_000_000,
    ("verifiedregistry", "AddVerifiedClient"): 3_600_000,
    ("verifiedregistry", "RemoveVerifiedClientDataCap"): 6_000_000,
    ("verifiedregistry", "Receive"): 3_000_000,
    ("verifiedregistry", "ClaimAllocations"): 6_000_000,
    ("verifiedregistry", "ExtendClaimTerms"): 2_500_000,
    ("verifiedregistry", "RemoveExpiredAllocations"): 4_500_000,
    ("verifiedregistry", "RemoveExpiredClaims"): 2_200_000,
    ("datacap", "Mint"): 3_800_000,
    ("datacap", "Transfer"): 5_000_000,
    ("datacap", "TransferFrom"): 5_500_000,
    ("datacap", "Burn"): 2_500_000,
    ("datacap", "Balance"): 700_000,
    ("storagemarket", "PublishStorageDeals"): 14_000_000,
    ("storagemarket", "AddBalance"): 4_500_000,
    ("storageminer", "PreCommitSectorBatch2"): 11_000_000,
    ("storageminer", "ProveCommitSectors3"): 42_000_000,
    ("storageminer", "TerminateSectors"): 40_000_000,
    ("multisig", "Propose"): 4_500_000,
    ("multisig", "Approve"): 4_500_000,
    ("multisig", "Cancel"): 2_400_000,
    ("init", "Exec"): 5_000_000,
}


@dataclass(slots=True)
class Meter:
    """Counts gas. A meter without a limit only counts: a dry run."""

    limit: int | None = None
    used: int = 0

    def charge(self, amount: int) -> None:
        """Counts gas; OutOfGas beyond the limit."""
        self.used += amount
        if self.limit is not None and self.used > self.limit:
            raise OutOfGas(f"{self.used} gas used, the limit is {self.limit}")

    def charge_call(self, params: bytes) -> None:
        """The gas of calling an actor, whatever it does."""
        self.charge(_INVOCATION_GAS + _PARAMS_GAS_PER_BYTE * len(params))

    def charge_work(self, kind: str, method_name: str) -> None:
        """The gas of what a method did. One that refused has hardly begun."""
        self.charge(_METHOD_GAS.get((kind, method_name), 0))

    def charge_event(self) -> None:
        """The gas of an event."""
        self.charge(_EVENT_GAS)

    def charge_new_actor(self) -> None:
        """The gas of an actor that is made."""
        self.charge(_CREATE_ACTOR_GAS)


def on_chain_gas(message_bytes: int) -> int:
    """The gas of carrying a message of that many bytes, signature included where the block has it."""
    return ON_CHAIN_COMPUTE_GAS + _ON_CHAIN_STORAGE_GAS + _ON_CHAIN_GAS_PER_BYTE * message_bytes


def least_gas_limit(message_bytes: int) -> int:
    """The gas limit below which a node takes no message of that many bytes."""
    return ON_CHAIN_COMPUTE_GAS + 1_000 * (36 + message_bytes)


def estimated_limit(gas_used: int) -> int:
    """The gas limit that a node recommends: a quarter more."""
    return ceil(gas_used * 1.25)


def next_base_fee(base_fee: int, gas_limit_sum: int, block_count: int) -> int:
    """The base fee of a tipset whose parent has that fee, messages of that gas limit, and blocks (EIP-1559)."""
    if block_count == 0:
        return base_fee
    delta = 5 * gas_limit_sum // (4 * block_count) - BLOCK_GAS_TARGET
    delta = max(-BLOCK_GAS_TARGET, min(delta, BLOCK_GAS_TARGET))
    change = base_fee * delta // BLOCK_GAS_TARGET
    return max(base_fee + change // 8, MINIMUM_BASE_FEE)


def fee_cap_over(base_fee: int, blocks: int) -> int:
    """The highest the base fee can be after that many full blocks."""
    return int(base_fee * (1 + 1 / 8) ** blocks)


@dataclass(frozen=True, slots=True)
class GasOutputs:
    """Who gets what of the fee that the sender laid out, in attoFIL."""

    base_fee_burn: int = 0
    over_estimation_burn: int = 0
    miner_penalty: int = 0
    miner_tip: int = 0
    refund: int = 0

    @property
    def total_cost(self) -> int:
        """What the sender paid."""
        return self.base_fee_burn + self.over_estimation_burn + self.miner_tip


def gas_outputs(*, used: int, limit: int, base_fee: int, fee_cap: int, premium: int) -> GasOutputs:
    """The distribution of a message's fee (Lotus chain/vm/burn.go)."""
    fee_per_gas = min(base_fee, fee_cap)
    burnt_gas = _over_estimation(used, limit)
    burn = fee_per_gas * used
    over = fee_per_gas * burnt_gas
    tip = min(premium, fee_cap - fee_per_gas) * limit
    penalty = (base_fee - fee_per_gas) * (used + burnt_gas)
    return GasOutputs(burn, over, penalty, tip, fee_cap * limit - burn - over - tip)


def _over_estimation(used: int, limit: int) -> int:
    """How much of the gas that was not used is burnt: none within a tenth of what was."""
    if used == 0:
        return limit
    over = min(max(limit - 11 * used // 10, 0), used)
    return (limit - used) * over // used
