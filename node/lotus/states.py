"""The part of `LotusChain` that reads actors' state: deals, claims, allocations, DataCap, accounts."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from node.address import Address, actor_address
from node.chain.errors import ActorNotFound, AnswerTooLarge, DealNotFound, GarbledAnswer, MethodMissing
from node.chain.results import Actor, RejectedRecord
from node.chain.tipset import TipSetKey
from node.lotus import decoding, params
from node.lotus.asking import Asking, lotus_call
from node.lotus.transport import Call
from node.market import Deal, parse_deal
from node.registry import Allocation, Claim, parse_allocation, parse_claim

_PROVIDERS_AT_ONCE = 50


class States(Asking):
    """Reads state. `at` is the tipset, None the head."""

    async def deal(self, deal_id: int, *, at: TipSetKey | None = None) -> Deal | None:
        """The deal, None where the market has none of that id."""
        try:
            return await self._ask(
                "StateMarketStorageDeal",
                deal_id,
                params.tipset_key(at),
                decode=lambda document: self._deal(deal_id, decoding.an_object(document, "a deal")),
            )
        except DealNotFound:
            return None

    def deals(self, *, at: TipSetKey | None = None) -> AsyncGenerator[Deal | RejectedRecord, None]:
        """Every deal."""
        return self._records(lotus_call("StateMarketDeals", params.tipset_key(at)), self._deal)

    async def claim(self, provider: Address, claim_id: int, *, at: TipSetKey | None = None) -> Claim | None:
        """The provider's claim of that id."""

        def decode(document: object) -> Claim | None:
            found = decoding.record_or_none(claim_id, document, self._claim)
            _check_party(provider, None if found is None else found.provider_id)
            return found

        return await self._ask("StateGetClaim", self._spelled(provider), claim_id, params.tipset_key(at), decode=decode)

    def claims_of(
        self, provider: Address, *, at: TipSetKey | None = None
    ) -> AsyncGenerator[Claim | RejectedRecord, None]:
        """Every claim of the provider."""
        return self._records(self._claims_call(provider, at), self._claim)

    def _claims_call(self, provider: Address, at: TipSetKey | None) -> Call:
        return lotus_call("StateGetClaims", self._spelled(provider), params.tipset_key(at))

    async def claims(self, *, at: TipSetKey | None = None) -> AsyncGenerator[Claim | RejectedRecord, None]:
        """Every claim; provider by provider over a gateway, which has no StateGetAllClaims."""
        try:
            async with aclosing(
                self._records(lotus_call("StateGetAllClaims", params.tipset_key(at)), self._claim)
            ) as records:
                async for record in records:
                    yield record
        except MethodMissing:
            async with aclosing(self._claims_by_provider(at)) as records:
                async for record in records:
                    yield record

    async def _claims_by_provider(self, at: TipSetKey | None) -> AsyncGenerator[Claim | RejectedRecord, None]:
        """Every claim, all at one tipset although it takes many questions."""
        pinned = await self._head_key() if at is None else at
        providers = [actor_address(actor_id) for actor_id in await self.provider_ids(at=pinned)]
        for start in range(0, len(providers), _PROVIDERS_AT_ONCE):
            calls = [self._claims_call(each, pinned) for each in providers[start : start + _PROVIDERS_AT_ONCE]]
            async with aclosing(self._claims_of_some(calls)) as records:
                async for record in records:
                    yield record

    async def _claims_of_some(self, calls: Sequence[Call]) -> AsyncGenerator[Claim | RejectedRecord, None]:
        """The claims of a few providers: most have none, so they are asked together, and apart if that is too much."""
        try:
            together = await self._pool.read_batch(calls, self._claims_in_each)
        except AnswerTooLarge:
            together = None
        for record in together or ():
            yield record
        for call in calls if together is None else ():
            async with aclosing(self._records(call, self._claim)) as records:
                async for record in records:
                    yield record

    async def _head_key(self) -> TipSetKey:
        return await self._ask("ChainHead", decode=lambda document: decoding.tipset(document).key)

    async def allocation(
        self, client: Address, allocation_id: int, *, at: TipSetKey | None = None
    ) -> Allocation | None:
        """The client's allocation of that id."""

        def decode(document: object) -> Allocation | None:
            found = decoding.record_or_none(allocation_id, document, self._allocation)
            _check_party(client, None if found is None else found.client_id)
            return found

        return await self._ask(
            "StateGetAllocation", self._spelled(client), allocation_id, params.tipset_key(at), decode=decode
        )

    def allocations_of(
        self, client: Address, *, at: TipSetKey | None = None
    ) -> AsyncGenerator[Allocation | RejectedRecord, None]:
        """Every allocation of the client."""
        call = lotus_call("StateGetAllocations", self._spelled(client), params.tipset_key(at))
        return self._records(call, self._allocation)

    def allocations(self, *, at: TipSetKey | None = None) -> AsyncGenerator[Allocation | RejectedRecord, None]:
        """Every allocation."""
        return self._records(lotus_call("StateGetAllAllocations", params.tipset_key(at)), self._allocation)

    async def verifier_datacap_bytes(self, verifier: Address, *, at: TipSetKey | None = None) -> int | None:
        """What the notary may still give, None for no notary."""
        return await self._datacap("StateVerifierStatus", verifier, at)

    async def client_datacap_bytes(self, client: Address, *, at: TipSetKey | None = None) -> int | None:
        """What the client may still spend, None for no client."""
        return await self._datacap("StateVerifiedClientStatus", client, at)

    async def _datacap(self, name: str, address: Address, at: TipSetKey | None) -> int | None:
        """An f0 without actor is answered with null, every other address with an error: None for both."""
        try:
            return await self._ask(name, self._spelled(address), params.tipset_key(at), decode=decoding.datacap_or_none)
        except ActorNotFound:
            return None

    async def registry_root(self, *, at: TipSetKey | None = None) -> Address:
        """The root of the verified registry."""
        return await self._ask("StateVerifiedRegistryRootKey", params.tipset_key(at), decode=decoding.address)

    async def provider_ids(self, *, at: TipSetKey | None = None) -> tuple[int, ...]:
        """Every miner actor."""
        return await self._ask("StateListMiners", params.tipset_key(at), decode=decoding.actor_ids)

    async def actor(self, address: Address, *, at: TipSetKey | None = None) -> Actor | None:
        """The actor's head, None where there is none."""
        try:
            return await self._ask(
                "StateGetActor", self._spelled(address), params.tipset_key(at), decode=decoding.actor
            )
        except ActorNotFound:
            return None

    async def actor_id(self, address: Address, *, at: TipSetKey | None = None) -> int | None:
        """The actor's id, None where there is none. A node echoes every f0, so it is not asked for one."""
        if address.actor_id is not None:
            return address.actor_id
        try:
            return await self._ask(
                "StateLookupID", self._spelled(address), params.tipset_key(at), decode=decoding.actor_id
            )
        except ActorNotFound:
            return None

    async def account_key(self, address: Address, *, at: TipSetKey | None = None) -> Address:
        """The key's address of an account."""

        def decode(document: object) -> Address:
            key = decoding.address(document)
            if key.actor_id is not None:
                raise GarbledAnswer(f"the key of {address} is {key}, which is no key's address")
            return key

        return await self._ask("StateAccountKey", self._spelled(address), params.tipset_key(at), decode=decode)

    def _deal(self, deal_id: object, document: Mapping[str, object]) -> Deal:
        return parse_deal(deal_id, document, prefixes=self._record_prefixes)

    def _claim(self, claim_id: object, document: Mapping[str, object]) -> Claim:
        return parse_claim(claim_id, document, prefixes=self._record_prefixes)

    def _allocation(self, allocation_id: object, document: Mapping[str, object]) -> Allocation:
        return parse_allocation(allocation_id, document, prefixes=self._record_prefixes)

    def _claims_in_each(self, results: Sequence[object]) -> list[Claim | RejectedRecord]:
        return [record for each in results for record in decoding.records(each, self._claim)]


def _check_party(asked: Address, found_id: int | None) -> None:
    """GarbledAnswer where a record was asked of one and is another's, as far as an f0 tells."""
    if found_id is not None and asked.actor_id not in {None, found_id}:
        raise GarbledAnswer(f"asked for a record of {asked}, the answer is of f0{found_id}")
