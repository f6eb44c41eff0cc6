"""How a client spends DataCap: a transfer of tokens to the verified registry (f06) that says what they are for.

    datacap.TransferParams.operator_data   AllocationRequests     the request
    datacap.TransferReturn.recipient_data  AllocationsResponse    what became of it

Source: builtin-actors actors/verifreg/src/types.rs. For a verified deal the market sends the same transfer.
"""

from dataclasses import dataclass
from typing import Annotated

from node.actors.batch import BatchReturn
from node.address import Address
from node.cid import Cid
from node.elements import ADDRESS, UINT, either
from node.tuples import CborTuple, Int, Uint

Provider = Annotated[int | Address, either(UINT, ADDRESS, is_second=lambda value: isinstance(value, Address))]
"""An actor id. In nv17 and nv18 it was written as an address."""


@dataclass(frozen=True, slots=True)
class AllocationRequest(CborTuple):
    """An allocation that a client asks for. The registry does not check that `data` is a piece CID."""

    provider: Provider
    data: Cid
    size_bytes: Uint
    term_min_epochs: Int
    term_max_epochs: Int
    expiration_epoch: Int

    @property
    def provider_id(self) -> int | None:
        """The provider's actor id; None where it was written as an address of another protocol than f0."""
        return _provider_id(self.provider)


@dataclass(frozen=True, slots=True)
class ClaimExtensionRequest(CborTuple):
    """A claim whose term a client extends by spending DataCap: also another client's."""

    provider: Provider
    claim_id: Uint
    term_max_epochs: Int

    @property
    def provider_id(self) -> int | None:
        """The provider's actor id; None where it was written as an address of another protocol than f0."""
        return _provider_id(self.provider)


def _provider_id(provider: int | Address) -> int | None:
    return provider.actor_id if isinstance(provider, Address) else provider


@dataclass(frozen=True, slots=True)
class AllocationRequests(CborTuple):
    """What a transfer of DataCap to f06 is for: its `operator_data`. The sizes must add up to the amount exactly."""

    allocations: tuple[AllocationRequest, ...] = ()
    extensions: tuple[ClaimExtensionRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class AllocationsResponse(CborTuple):
    """What the registry made of a transfer: the `recipient_data` of the transfer's return."""

    allocation_results: BatchReturn
    extension_results: BatchReturn
    new_allocation_ids: tuple[Uint, ...]
