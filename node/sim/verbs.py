"""What tests and demos order: the chain makes the messages, signs them as its own, and mines until the head shows them.

Each verb returns what it changed. Actors that are named by an id that nobody has come to be first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from node.actors import datacap, market, miner, verifreg
from node.actors.allocations import AllocationRequest, AllocationRequests, AllocationsResponse
from node.address import PROTOCOL_BLS, PROTOCOL_SECP256K1, Address, actor_address
from node.bitfield import bitfield_of
from node.cid import Cid
from node.elements import UINT
from node.message import Message, SignedMessage
from node.methods import SEND, Method
from node.receipt import Receipt
from node.sim.chain import SimulatedChain
from node.sim.commd import unsealed_cid
from node.sim.errors import failure
from node.sim.execution import Implicit
from node.sim.genesis import FAUCET_ID, NOTARY_ID
from node.sim.keys import bls_signature
from node.sim.rpc.search import Found, search_message
from node.sim.rules import FIRST_VERSION_WITHOUT_DATACAP
from node.sim.state import State, StoredAllocation
from node.singletons import DATACAP, MARKET, VERIFIED_REGISTRY
from node.tokens import ATTOFIL_PER_FIL, TOKENS_PER_BYTE

_GAS_LIMIT = 5_000_000_000
_FEE_CAP = 10_000
_PREMIUM = 1_000
_LEAST_FUNDS = ATTOFIL_PER_FIL
_SEAL_PROOF = 8
_NOTARY_BYTES = 1 << 60
_BATCH = 200
"""How many pieces or sectors one message is made for: it has to stay below 64 KiB."""


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


@dataclass(frozen=True, slots=True)
class _Sealing:
    """A piece that is to come into a sector of its own, and how long that is to last."""

    piece: miner.PieceActivation
    life_epochs: int


class Verbs:
    """The orders, over one chain."""

    def __init__(self, chain: SimulatedChain) -> None:
        self.chain = chain

    # Messages of the chain's own.

    @property
    def state(self) -> State:
        """What is read at the head."""
        return self.chain.state_at(self.chain.head)

    @property
    def _next_state(self) -> State:
        return self.chain.state_after(self.chain.head)

    def call(self, sender: Address, to: Address, method: Method[Any, Any], params: Any, *, value: int = 0) -> Any:
        """Calls an actor's method and mines until it is done; the return. RpcFault where the actor refuses."""
        receipt = self.send(sender, to, method.numbers[0], method.params.to_bytes(params), value=value)
        return method.returns.from_bytes(receipt.return_value)

    def send(self, sender: Address, to: Address, number: int, params: bytes, *, value: int = 0) -> Receipt:
        """Sends a message for an address, whoever has its key, and mines until it is done; its receipt."""
        sender_id = self._next_state.actor_id(sender)
        actor = None if sender_id is None else self._next_state.actors.get(sender_id)
        if sender_id is None or actor is None:
            raise failure(f"{sender} is no actor of this chain")
        if sender_id != FAUCET_ID and actor.balance_attofil < value + _LEAST_FUNDS:
            self.fund(sender, value + _LEAST_FUNDS)
            actor = self._next_state.actors[sender_id]
        message = Message(
            to=to,
            sender=actor.address or actor_address(sender_id),
            nonce=self.chain.mempool.next_nonce(sender_id, actor.nonce),
            value_attofil=value,
            gas_limit=_GAS_LIMIT,
            gas_fee_cap_attofil=_FEE_CAP + self.chain.head.base_fee * 2,
            gas_premium_attofil=_PREMIUM,
            method=number,
            params=params,
        )
        return self._mine_until_done(message)

    def _mine_until_done(self, message: Message) -> Receipt:
        signed = SignedMessage(message, bls_signature(message.sender, b"trusted"))
        cid = self.chain.push_trusted(signed)
        for _ in range(8):
            self.chain.mine()
            found = search_message(self.chain, cid, message, start=self.chain.head, limit=8, allow_replaced=False)
            if found is not None:
                return self._checked(found)
        raise failure(f"message {cid} was not executed: an earlier message of {message.sender} is in its way")

    def _checked(self, found: Found) -> Receipt:
        """The receipt of a message that succeeded; RpcFault with the actors' words for one that did not."""
        if not found.receipt.ok:
            execution = self.chain.execution_of(self.chain.store.parent(found.tipset))
            words = next(one.error for one in execution.executed if one.cid == found.cid)
            raise failure(f"the message {found.cid} failed: {words}")
        return found.receipt

    # Actors.

    def _ensure(self, address: Address, kind: str) -> int:
        """The actor's id; an f0 id that nobody has becomes an account or a miner, a key's address is funded."""
        actor_id = self.state.actor_id(address)
        if actor_id is not None and actor_id in self.state.actors:
            return actor_id
        if address.actor_id is not None:
            self.chain.waiting.append(Implicit(kind, address.actor_id))
            self.chain.mine()
            self.chain.mine()
            return address.actor_id
        if address.protocol not in {PROTOCOL_SECP256K1, PROTOCOL_BLS}:
            raise failure(f"{address} is no actor of this chain, and none can be made for it")
        self.fund(address, _LEAST_FUNDS)
        return self.state.ids[address]

    def ensure_client(self, address: Address) -> int:
        """The id of a client's account, made where there is none."""
        return self._ensure(address, "account")

    def ensure_provider(self, address: Address) -> int:
        """The id of a miner, made where there is none."""
        provider_id = self._ensure(address, "storageminer")
        if provider_id not in self.state.miners:
            raise failure(f"{address} is no miner but {self.state.actors[provider_id].kind}")
        return provider_id

    def _own(self, actor_id: int) -> Address:
        return actor_address(actor_id)

    # Verbs.

    def fund(self, address: Address, amount_attofil: int) -> int:
        """Sends funds from the faucet; the address's balance after it."""
        if address.actor_id is not None and address.actor_id not in self.state.actors:
            self._ensure(address, "account")
        self.send(self._own(FAUCET_ID), address, SEND, b"", value=amount_attofil)
        actor = self.state.actor(address)
        return 0 if actor is None else actor.balance_attofil

    def add_verifier(self, address: Address, allowance_bytes: int) -> int:
        """Makes a notary, or replaces its allowance; its id."""
        verifier_id = self._ensure(address, "account")
        params = verifreg.AddVerifierParams(actor_address(verifier_id), allowance_bytes)
        self.call(self._own(self.state.registry.root_id), VERIFIED_REGISTRY, verifreg.ADD_VERIFIER, params)
        return verifier_id

    def _grant(self, client_id: int, needed_bytes: int) -> None:
        """Gives a client what it lacks for a spending, through the chain's own notary."""
        have = self.state.token.balances.get(client_id, 0) // TOKENS_PER_BYTE
        missing = needed_bytes - have
        if missing <= 0:
            return
        amount = max(missing, self.chain.options.rules.min_verified_bytes)
        if self.state.registry.verifiers.get(NOTARY_ID, 0) < amount:
            self.add_verifier(self._own(NOTARY_ID), _NOTARY_BYTES + amount)
        params = verifreg.AddVerifiedClientParams(actor_address(client_id), amount)
        self.call(self._own(NOTARY_ID), VERIFIED_REGISTRY, verifreg.ADD_VERIFIED_CLIENT, params)

    def allocate(self, client: Address, provider: Address, pieces: Sequence[Piece]) -> tuple[int, ...]:
        """Allocates DataCap, minted where the client has too little, to pieces; the allocations' ids."""
        client_id, provider_id = self.ensure_client(client), self.ensure_provider(provider)
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
        returned: datacap.TransferReturn = self.call(actor_address(client_id), DATACAP, datacap.TRANSFER, params)
        return AllocationsResponse.from_bytes(returned.recipient_data).new_allocation_ids

    def publish_deals(self, proposals: Sequence[market.DealProposal]) -> tuple[int, ...]:
        """Publishes deals, a message for each provider; the ids of those that the market took, in the order given.

        The DataCap and the funds that they need are provided first.
        """
        ids: dict[int, int] = {}
        providers = dict.fromkeys(proposal.provider for proposal in proposals)
        for provider in providers:
            chosen = [at for at, proposal in enumerate(proposals) if proposal.provider == provider]
            returned = self._publish(provider, [proposals[at] for at in chosen])
            taken = [chosen[at] for at in returned.valid_deals]
            ids.update(zip(taken, returned.deal_ids, strict=True))
        return tuple(ids[at] for at in sorted(ids))

    def _publish(self, provider: Address, proposals: Sequence[market.DealProposal]) -> market.PublishStorageDealsReturn:
        provider_id = self.ensure_provider(provider)
        needed: dict[int, int] = {}
        for proposal in proposals:
            client_id = self.ensure_client(proposal.client)
            needed[client_id] = needed.get(client_id, 0) + (proposal.size_bytes if proposal.verified else 0)
            self._escrow(client_id, proposal.client_collateral_attofil + _fee(proposal))
            self._escrow(provider_id, proposal.provider_collateral_attofil)
        if self.chain.version_at(self.chain.head.height) < FIRST_VERSION_WITHOUT_DATACAP:
            for client_id, total in needed.items():
                self._grant(client_id, total)
        signature = bls_signature(provider, b"trusted")
        deals = tuple(market.ClientDealProposal(proposal, signature) for proposal in proposals)
        worker = self._own(self.state.miners[provider_id].worker_id)
        returned: market.PublishStorageDealsReturn = self.call(
            worker, MARKET, market.PUBLISH_STORAGE_DEALS, market.PublishStorageDealsParams(deals)
        )
        return returned

    def _escrow(self, actor_id: int, amount: int) -> None:
        if amount:
            self.call(self._own(FAUCET_ID), MARKET, market.ADD_BALANCE, actor_address(actor_id), value=amount)

    def activate_deals(self, deal_ids: Iterable[int]) -> tuple[int, ...]:
        """Puts deals into sectors, one sector each; the ids of those that are active now."""
        wanted = list(dict.fromkeys(deal_ids))
        due: dict[int, list[_Sealing]] = {}
        for deal_id in wanted:
            deal = self.state.market.deals.get(deal_id)
            if deal is None:
                raise failure(f"deal {deal_id} not found")
            if deal.sector_start_epoch < 0:
                provider_id = deal.proposal.provider.actor_id or 0
                due.setdefault(provider_id, []).append(self._sealing_of_deal(deal_id, deal.proposal))
        for provider_id, sealings in due.items():
            self._seal(provider_id, sealings)
        deals = self.state.market.deals
        return tuple(at for at in wanted if (deal := deals.get(at)) is not None and deal.sector_start_epoch >= 0)

    def _sealing_of_deal(self, deal_id: int, proposal: market.DealProposal) -> _Sealing:
        allocation_id = self.state.market.allocation_ids.get(deal_id)
        term = None if allocation_id is None else self.state.registry.allocations.get(allocation_id)
        key = None if term is None else miner.AllocationKey(term.client_id, allocation_id or 0)
        notice = miner.Notification(MARKET, UINT.to_bytes(deal_id))
        piece = miner.PieceActivation(proposal.piece_cid, proposal.size_bytes, key, (notice,))
        return _Sealing(piece, self._sector_life(term, at_least=proposal.end_epoch - self.chain.head.height + 1))

    def onboard(self, provider: Address, allocation_ids: Iterable[int]) -> tuple[Onboarded, ...]:
        """Claims allocations, a sector each; a claimed one stays as it is."""
        provider_id = self.ensure_provider(provider)
        registry, wanted = self.state.registry, list(allocation_ids)
        due = [at for at in dict.fromkeys(wanted) if registry.claims.get(at) is None]
        self._seal(provider_id, [self._sealing_of_allocation(at) for at in due])
        claims = self.state.registry.claims
        return tuple(Onboarded(at, claim.sector) for at in wanted if (claim := claims.get(at)) is not None)

    def _sealing_of_allocation(self, allocation_id: int) -> _Sealing:
        allocation = self.state.registry.allocations.get(allocation_id)
        if allocation is None:
            raise failure(f"allocation {allocation_id} not found")
        key = miner.AllocationKey(allocation.client_id, allocation_id)
        piece = miner.PieceActivation(allocation.data, allocation.size_bytes, key, ())
        return _Sealing(piece, self._sector_life(allocation))

    def _sector_life(self, allocation: StoredAllocation | None, *, at_least: int = 0) -> int:
        """How long a sector is to last that its allocation may be claimed with it when it is proven."""
        life = max(self.chain.options.rules.sector_life_epochs, at_least)
        if allocation is None:
            return life
        # The sector is proven some epochs after this is reckoned, so a little is added at the lower end.
        return min(max(life, allocation.term_min_epochs + 20), allocation.term_max_epochs)

    def _seal(self, provider_id: int, sealings: Sequence[_Sealing]) -> None:
        """Announces and proves sectors with one piece each, as many at once as a message holds."""
        for start in range(0, len(sealings), _BATCH):
            self._seal_batch(provider_id, sealings[start : start + _BATCH])

    def _seal_batch(self, provider_id: int, sealings: Sequence[_Sealing]) -> None:
        worker, to = actor_address(self.state.miners[provider_id].worker_id), actor_address(provider_id)
        first = self.state.miners[provider_id].next_sector
        announced = tuple(self._announcement(provider_id, first + at, sealing) for at, sealing in enumerate(sealings))
        self.call(worker, to, miner.PRE_COMMIT_SECTOR_BATCH, miner.PreCommitSectorBatchParams(announced))
        params = miner.ProveCommitSectorsParams(
            sectors=tuple(miner.SectorActivation(first + at, (sealing.piece,)) for at, sealing in enumerate(sealings)),
            sector_proofs=(b"proof",) * len(sealings),
            aggregate_proof=b"",
            aggregate_proof_type=None,
            require_activation_success=True,
            require_notification_success=True,
        )
        self.call(worker, to, miner.PROVE_COMMIT_SECTORS, params)

    def _announcement(self, provider_id: int, number: int, sealing: _Sealing) -> miner.SectorPreCommit:
        piece, head = sealing.piece, self.chain.head.height
        sector_bytes = max(self.chain.options.rules.sector_bytes, piece.size_bytes)
        data = unsealed_cid([(piece.data, piece.size_bytes)], sector_bytes) if _is_piece(piece.data) else None
        sealed = Cid(1, 0xF102, 0xB401, blake2b(f"{provider_id}/{number}".encode(), digest_size=32).digest())
        expiration = head + sealing.life_epochs
        return miner.SectorPreCommit(_SEAL_PROOF, number, sealed, max(head - 150, 0), (), expiration, data)

    def terminate(self, provider: Address, sector: int) -> bool:
        """Gives up a sector, one of an imported claim too: it is made first. Whether it was there."""
        provider_id = self.ensure_provider(provider)
        if self.state.sector(provider_id, sector) is None:
            if not any(claim.sector == sector for claim in self.state.registry.claims.of_owner(provider_id).values()):
                raise failure(f"sector {sector} of {provider} not found")
            self.chain.waiting.append(Implicit("sector", provider_id, sector))
            self.chain.mine()
        worker = self._own(self.state.miners[provider_id].worker_id)
        params = miner.TerminateSectorsParams((miner.SectorTermination(0, 0, bitfield_of([sector])),))
        returned: miner.TerminateSectorsReturn = self.call(
            worker, actor_address(provider_id), miner.TERMINATE_SECTORS, params
        )
        return returned.done

    def upgrade(self, network_version: int, epoch: int) -> None:
        """Has the network upgrade after an epoch that is not past. RpcFault for one that is, and for a downgrade."""
        if epoch < self.chain.head.height:
            raise failure(f"epoch {epoch} is past: the head is at {self.chain.head.height}")
        if network_version not in {28, 29}:
            raise failure(f"network version {network_version} is not known; choose 28 or 29")
        self.chain.upgrades[network_version] = epoch

    def time_travel(self, epoch: int) -> int:
        """Skips epochs so that the next tipset is at that one, and mines it; the head's epoch."""
        head = self.chain.head.height
        if epoch <= head:
            raise failure(f"epoch {epoch} is not ahead of the head at {head}")
        self.chain.null_rounds = epoch - head - 1
        return self.chain.mine().height


def _fee(proposal: market.DealProposal) -> int:
    return proposal.price_per_epoch_attofil * (proposal.end_epoch - proposal.start_epoch)


def _is_piece(cid: Cid) -> bool:
    return len(cid.digest) == 32
