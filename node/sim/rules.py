"""The limits by which the actors decide, as the networks set them, and the chain's gas limits."""

from dataclasses import dataclass

EPOCHS_PER_DAY = 2880
BLOCK_GAS_LIMIT = 10_000_000_000
BLOCK_GAS_TARGET = BLOCK_GAS_LIMIT // 2
MINIMUM_BASE_FEE = 100
CHAIN_FINALITY = 900
SAFE_DEPTH = 200
FIRST_VERSION_WITHOUT_DATACAP = 29
SEAL_PROOF = 8
"""Of sectors of 32 GiB, as Lotus numbers proofs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Policy of the actors (builtin-actors runtime/src/runtime/policy.rs). Devnets have a smaller least size."""

    min_verified_bytes: int = 1 << 20
    min_allocation_term_epochs: int = 180 * EPOCHS_PER_DAY
    max_allocation_term_epochs: int = 5_259_485
    max_allocation_expiration_epochs: int = 60 * EPOCHS_PER_DAY
    min_deal_epochs: int = 180 * EPOCHS_PER_DAY
    max_deal_epochs: int = 1278 * EPOCHS_PER_DAY
    deal_term_slack_epochs: int = 90 * EPOCHS_PER_DAY
    """How much longer than a verified deal its claim may last."""
    max_label_bytes: int = 256
    sector_bytes: int = 32 << 30
    sector_life_epochs: int = 540 * EPOCHS_PER_DAY
    nv29_clears_registry: bool = False
    """Whether the upgrade removes allocations and notaries, as FIP-0118 says and the recorded branch did not do."""
