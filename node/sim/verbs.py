"""What tests and demos order: the chain makes the messages, signs them as its own, and mines until the head shows them.

Each verb returns what it changed. Actors that are named by an id that nobody has come to be first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.actors import datacap, market, miner, verifreg
from node.actors.allocations import AllocationRequest, AllocationRequests, AllocationsResponse
from node.address import Address, actor_address
from node.bitfield import bitfield_of
from node.cid import Cid
from node.sim.chain import SimulatedChain
from node.sim.codes import KNOWN_VERSIONS
from node.sim.errors import failure
from node.sim.execution import Implicit
from node.sim.genesis import FAUCET_ID, NOTARY_ID
from node.sim.keys import trusted_signature
from node.sim.orders import Orders
from node.sim.rules import FIRST_VERSION_WITHOUT_DATACAP
from node.sim.sealing import Sealer, Sealing
from node.sim.state import is_in_sector
from node.singletons import DATACAP, MARKET, VERIFIED_REGISTRY
from node.tokens import TOKENS_PER_BYTE

_NOTARY_BYTES = 1 << 60
_BATCH = 200
"""How many pieces one message is made for: it has to stay below 64 KiB."""
_DEALS_BATCH = 80
"""How many deals one message is made for, whose labels may be 256 bytes each."""
_FARTHEST_EPOCHS = 10 * 365 * 2880
"""How far time travels at once: ten years."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Data to be allocated: a CID and its padded size."""

    data: Cid
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Onboarded:
    """A claim, and the sector that it is in."""

    claim_id: int
    sector: int


class Verbs:
    """The orders, over one chain."""

    def __init__(self, chain: SimulatedChain) -> None:
        self.chain = chain
        self.orders = Orders(chain)
        self._sealer = Sealer(self.orders)

    def fund(self, address: Address, amount_attofil: int) -> int:
        """Sends funds from the faucet; the address's balance after it."""
        return self.orders.fund(address, amount_attofil)

    def add_verifier(self, address: Address, allowance_bytes: int) -> int:
        """Makes a notary, or replaces its allowance; its id."""
        verifier_id = self.orders.ensure(address, "account")
        params = verifreg.AddVerifierParams(actor_address(verifier_id), allowance_bytes)
        self.orders.call(
            actor_address(self.orders.state.registry.root_id), VERIFIED_REGISTRY, verifreg.ADD_VERIFIER, params
        )
        return verifier_id

    def _grant(self, client_id: int, needed_bytes: int) -> None:
        """Gives a client what it lacks for a spending, through the chain's own notary."""
        have = self.orders.state.token.balances.get(client_id, 0) // TOKENS_PER_BYTE
        missing = needed_bytes - have
        if missing <= 0:
            return
        amount = max(missing, self.chain.options.rules.min_verified_bytes)
        if self.orders.state.registry.verifiers.get(NOTARY_ID, 0) < amount:
            self.add_verifier(actor_address(NOTARY_ID), _NOTARY_BYTES + amount)
        params = verifreg.AddVerifiedClientParams(actor_address(client_id), amount)
        self.orders.call(actor_address(NOTARY_ID), VERIFIED_REGISTRY, verifreg.ADD_VERIFIED_CLIENT, params)

    def allocate(self, client: Address, provider: Address, pieces: Sequence[Piece]) -> tuple[int, ...]:
        """Allocates DataCap, minted where the client has too little, to pieces; the allocations' ids."""
        self.orders.settle()
        client_id, provider_id = self.orders.ensure_client(client), self.orders.ensure_provider(provider)
        self._grant(client_id, sum(piece.size_bytes for piece in pieces))
        chunks = (pieces[start : start + _BATCH] for start in range(0, len(pieces), _BATCH))
        return tuple(one for chunk in chunks for one in self._allocate(client_id, provider_id, chunk))

    def _allocate(self, client_id: int, provider_id: int, pieces: Sequence[Piece]) -> tuple[int, ...]:
        total = sum(piece.size_bytes for piece in pieces)
        rules, epoch = self.chain.options.rules, self.chain.head.height
        requests = tuple(
            AllocationRequest(
                provider_id,
                piece.data,
                piece.size_bytes,
                rules.min_allocation_term_epochs,
                rules.max_allocation_term_epochs,
                epoch + rules.max_allocation_expiration_epochs,
            )
            for piece in pieces
        )
        params = datacap.TransferParams(
            VERIFIED_REGISTRY, total * TOKENS_PER_BYTE, AllocationRequests(requests).to_bytes()
        )
        returned: datacap.TransferReturn = self.orders.call(actor_address(client_id), DATACAP, datacap.TRANSFER, params)
        return AllocationsResponse.from_bytes(returned.recipient_data).new_allocation_ids

    def publish_deals(self, proposals: Sequence[market.DealProposal]) -> tuple[int, ...]:
        """Publishes deals, messages for each provider; the ids of those that the market took, in the order given.

        The DataCap and the funds that they need are provided first.
        """
        self.orders.settle()
        ids: dict[int, int] = {}
        providers = dict.fromkeys(proposal.provider for proposal in proposals)
        for provider in providers:
            chosen = [at for at, proposal in enumerate(proposals) if proposal.provider == provider]
            for start in range(0, len(chosen), _DEALS_BATCH):
                batch = chosen[start : start + _DEALS_BATCH]
                returned = self._publish(provider, [proposals[at] for at in batch])
                ids.update(zip((batch[at] for at in returned.valid_deals), returned.deal_ids, strict=True))
        return tuple(ids[at] for at in sorted(ids))

    def _publish(self, provider: Address, proposals: Sequence[market.DealProposal]) -> market.PublishStorageDealsReturn:
        provider_id = self.orders.ensure_provider(provider)
        needed: dict[int, int] = {}
        for proposal in proposals:
            client_id = self.orders.ensure_client(proposal.client)
            needed[client_id] = needed.get(client_id, 0) + (proposal.size_bytes if proposal.verified else 0)
            self._escrow(client_id, proposal.client_collateral_attofil + _fee(proposal))
            self._escrow(provider_id, proposal.provider_collateral_attofil)
        if self.chain.version_at(self.chain.head.height) < FIRST_VERSION_WITHOUT_DATACAP:
            for client_id, total in needed.items():
                self._grant(client_id, total)
        deals = tuple(market.ClientDealProposal(proposal, trusted_signature(proposal.client)) for proposal in proposals)
        worker = actor_address(self.orders.state.miners[provider_id].worker_id)
        returned: market.PublishStorageDealsReturn = self.orders.call(
            worker, MARKET, market.PUBLISH_STORAGE_DEALS, market.PublishStorageDealsParams(deals)
        )
        return returned

    def _escrow(self, actor_id: int, amount: int) -> None:
        if amount:
            self.orders.call(
                actor_address(FAUCET_ID), MARKET, market.ADD_BALANCE, actor_address(actor_id), value=amount
            )

    def activate_deals(self, deal_ids: Iterable[int]) -> tuple[int, ...]:
        """Puts deals into sectors, one sector each; the ids of those that are active now."""
        self.orders.settle()
        wanted = list(dict.fromkeys(deal_ids))
        due: dict[int, list[Sealing]] = {}
        for deal_id in wanted:
            deal = self.orders.state.market.deals.get(deal_id)
            if deal is None:
                raise failure(f"deal {deal_id} not found")
            if deal.sector_start_epoch < 0:
                provider_id = deal.proposal.provider.actor_id or 0
                due.setdefault(provider_id, []).append(self._sealer.of_deal(deal_id, deal.proposal))
        for provider_id, sealings in due.items():
            self._sealer.seal(provider_id, sealings)
        deals = self.orders.state.market.deals
        return tuple(at for at in wanted if (deal := deals.get(at)) is not None and deal.sector_start_epoch >= 0)

    def onboard(self, provider: Address, allocation_ids: Iterable[int]) -> tuple[Onboarded, ...]:
        """Claims allocations, a sector each; a claimed one stays as it is."""
        self.orders.settle()
        provider_id = self.orders.ensure_provider(provider)
        registry, wanted = self.orders.state.registry, list(allocation_ids)
        due = [at for at in dict.fromkeys(wanted) if registry.claims.get(at) is None]
        self._sealer.seal(provider_id, [self._sealer.of_allocation(at) for at in due])
        claims = self.orders.state.registry.claims
        return tuple(Onboarded(at, claim.sector) for at in wanted if (claim := claims.get(at)) is not None)

    def terminate(self, provider: Address, sector: int) -> bool:
        """Gives up a sector, one of an imported claim or deal too: it is made first. Whether it was there."""
        self.orders.settle()
        provider_id = self.orders.ensure_provider(provider)
        if self.orders.state.sector(provider_id, sector) is None:
            if not self._is_recorded(provider_id, sector):
                raise failure(f"sector {sector} of {provider} not found")
            self.chain.waiting.append(Implicit("sector", provider_id, sector))
            self.chain.mine()
        worker = actor_address(self.orders.state.miners[provider_id].worker_id)
        params = miner.TerminateSectorsParams((miner.SectorTermination(0, 0, bitfield_of([sector])),))
        returned: miner.TerminateSectorsReturn = self.orders.call(
            worker, actor_address(provider_id), miner.TERMINATE_SECTORS, params
        )
        return returned.done

    def _is_recorded(self, provider_id: int, sector: int) -> bool:
        """Whether a claim or a deal says that the provider has a sector."""
        state = self.orders.state
        claims, deals = state.registry.claims.of_owner(provider_id), state.market.deals.of_owner(provider_id)
        return any(one.sector == sector for one in claims.values()) or any(
            is_in_sector(one, sector) for one in deals.values()
        )

    def upgrade(self, network_version: int, epoch: int) -> None:
        """Has the network upgrade after an epoch that is not past. RpcFault for one that is, and where the network has
        that version already: what was executed by it stays."""
        head = self.chain.head.height
        if epoch < head:
            raise failure(f"epoch {epoch} is past: the head is at {head}")
        if network_version not in KNOWN_VERSIONS:
            raise failure(f"network version {network_version} is not known; choose 29")
        version = self.chain.version_at(head)
        if network_version <= version:
            raise failure(f"the network is at version {version} already; choose a later one")
        self.chain.upgrades[network_version] = epoch

    def time_travel(self, epoch: int) -> int:
        """Skips epochs so that the next tipset is at that one, and mines it; the head's epoch."""
        head = self.chain.head.height
        if epoch <= head:
            raise failure(f"epoch {epoch} is not ahead of the head at {head}")
        if epoch - head > _FARTHEST_EPOCHS:
            raise failure(f"epoch {epoch} is too far ahead of the head at {head}: at most {_FARTHEST_EPOCHS} epochs")
        self.chain.null_rounds = epoch - head - 1
        return self.chain.mine().height


def _fee(proposal: market.DealProposal) -> int:
    return proposal.price_per_epoch_attofil * (proposal.end_epoch - proposal.start_epoch)
