"""A simulated chain as a world: its own methods carry out what is ordered."""

from node.address import Address
from node.chain.tipset import TipSetKey
from node.lotus.client import LotusChain
from node.message import Message, SignedMessage
from tests.contract_typed import accounts
from tests.contract_typed.worlds import PIECE, Fork, Rivals, Story, Verb

_PLENTY_ATTOFIL = 1000 * 10**18


class Live:
    """A simulated chain, whose own methods carry out what is ordered. New for every case."""

    def __init__(self, chain: LotusChain, verb: Verb) -> None:
        self._chain = chain
        self._verb = verb

    def chain(self, folder: str) -> LotusChain:
        """The one chain."""
        del folder
        return self._chain

    async def mine(self, count: int = 1) -> None:
        await self._verb("Mine", count)

    async def meet(self, address: Address) -> None:
        await self._rich(address)

    async def add_verifier(self, allowance_bytes: int) -> None:
        await self._verb("AddVerifier", str(accounts.NOTARY), str(allowance_bytes))

    async def give(self, datacap_bytes: int) -> None:
        nonce = await self._chain.next_nonce(await self._rich(accounts.NOTARY))
        await self._push(accounts.grant(accounts.NOTARY, accounts.CLIENT, datacap_bytes, nonce=nonce))
        await self.mine(2)

    async def _rich(self, address: Address) -> Address:
        await self._verb("Fund", str(address), str(_PLENTY_ATTOFIL))
        return address

    async def _push(self, message: Message) -> SignedMessage:
        signed = accounts.signed(await self._chain.estimate_gas(message))
        await self._chain.push(signed)
        return signed

    async def null_rounds(self) -> tuple[int, int]:
        await self.mine(2)
        before = (await self._chain.head()).epoch
        await self._verb("NullRounds", 3)
        await self.mine()
        return before + 1, before

    async def fork(self) -> Fork:
        await self.mine(5)
        old = (await self._chain.head()).key
        await self._verb("Fork", 3)
        return Fork(old, (await self._chain.head()).key)

    async def give_up(self) -> None:
        await self._verb("Fork", 3)

    async def tipset_with_a_grant(self) -> tuple[TipSetKey, TipSetKey]:
        await self.add_verifier(1 << 50)
        nonce = await self._chain.next_nonce(await self._rich(accounts.NOTARY))
        await self._push(accounts.grant(accounts.NOTARY, accounts.CLIENT, 1 << 40, nonce=nonce))
        await self.mine()
        included = (await self._chain.head()).key
        await self.mine()
        return included, (await self._chain.head()).key

    async def tipset_of_two_blocks(self) -> TipSetKey:
        head = await self._chain.head()
        while len(head.key.cids) < 2:
            await self.mine()
            head = await self._chain.head()
        return head.key

    async def empty_tipset(self) -> TipSetKey:
        await self.mine(2)
        return (await self._chain.head()).key

    async def allocate(self) -> int:
        await self._rich(accounts.CLIENT)
        pieces = [{"piece_cid": PIECE, "size_bytes": 1 << 35}]
        found = await self._verb("Allocate", str(accounts.CLIENT), str(accounts.PROVIDER), pieces)
        return int(found[0])

    async def onboard(self, allocation_id: int) -> None:
        await self._verb("Onboard", str(accounts.PROVIDER), [allocation_id])

    async def publish_deal(self) -> int:
        await self._rich(accounts.CLIENT)
        epoch = (await self._chain.head()).epoch
        proposal = {
            "PieceCID": {"/": PIECE},
            "PieceSize": 1 << 35,
            "VerifiedDeal": True,
            "Client": str(accounts.CLIENT),
            "Provider": str(accounts.PROVIDER),
            "Label": "a label",
            "StartEpoch": epoch + 3000,
            "EndEpoch": epoch + 3000 + 600_000,
            "StoragePricePerEpoch": "0",
            "ProviderCollateral": "0",
            "ClientCollateral": "0",
        }
        return int((await self._verb("PublishDeals", [proposal]))[0])

    async def grant_to_send(self) -> Story:
        await self.add_verifier(1 << 50)
        nonce = await self._chain.next_nonce(await self._rich(accounts.NOTARY))
        message = accounts.grant(accounts.NOTARY, accounts.CLIENT, 1 << 40, nonce=nonce)
        return Story(message, accounts.signed(await self._chain.estimate_gas(message)))

    async def rivals(self) -> Rivals:
        story = await self.grant_to_send()
        first = story.signed.message
        gas = {"gas_limit": first.gas_limit, "gas_fee_cap_attofil": 10**12}

        def rival(datacap_bytes: int, premium: int) -> SignedMessage:
            message = accounts.grant(
                accounts.NOTARY, accounts.CLIENT, datacap_bytes, nonce=first.nonce, gas_premium_attofil=premium, **gas
            )
            return accounts.signed(message)

        return Rivals(rival(1 << 40, 100_000), rival(1 << 41, 100_000), rival(1 << 41, 130_000))

    async def refused(self, why: str) -> SignedMessage:
        story = await self.grant_to_send()
        good = story.signed.message
        gas = {"gas_limit": good.gas_limit, "gas_fee_cap_attofil": good.gas_fee_cap_attofil}
        grant = accounts.grant
        if why == "nonce":
            await self._chain.push(story.signed)
            await self.mine(2)
            return accounts.signed(grant(accounts.NOTARY, accounts.CLIENT, 1 << 41, nonce=good.nonce, **gas))
        if why == "funds":
            gas["gas_fee_cap_attofil"] = 10**18
            gas["gas_limit"] = 10**9
            return accounts.signed(grant(accounts.NOTARY, accounts.CLIENT, 1 << 40, nonce=good.nonce, **gas))
        if why == "signature":
            return SignedMessage(
                grant(accounts.NOTARY, accounts.CLIENT, 1, nonce=good.nonce, **gas), story.signed.signature
            )
        if why == "sender":
            return accounts.signed(grant(accounts.FRESH, accounts.CLIENT, 1 << 40, **gas))
        gas["gas_limit"] = 20_000_000_000
        return accounts.signed(grant(accounts.NOTARY, accounts.CLIENT, 1 << 40, nonce=good.nonce, **gas))

    async def grant_by_a_stranger(self) -> Message:
        await self.add_verifier(1 << 50)
        nonce = await self._chain.next_nonce(await self._rich(accounts.STRANGER))
        return accounts.grant(accounts.STRANGER, accounts.OTHER_CLIENT, 1 << 40, nonce=nonce)
