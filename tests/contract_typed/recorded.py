"""The recordings as a world: everything that is ordered has happened."""

from node.address import Address
from node.chain.tipset import TipSetKey, tipset_key_of
from node.lotus.client import LotusChain
from node.message import Message, SignedMessage, parse_message, parse_signed_message
from tests.contract_typed.worlds import GRANTS, READS, TWO_MINERS, Fork, Rivals, Story
from tests.recordings_player import RecordedCall, recorded_calls
from tests.unit.lotus.chains import playing

_EMPTY = "bafy2bzacebrwqwp443wljvdapyjxvtm3m4ayxyhbhfuppn7nqzosvm6notpv4"
_REFUSED = {"nonce": "187", "funds": "206", "signature": "197", "sender": "208", "gas": "202"}


class Recorded:
    """The recordings, in which everything has happened. New for every case: each folder is played from its start."""

    def __init__(self) -> None:
        self._chains: dict[str, LotusChain] = {}

    def chain(self, folder: str) -> LotusChain:
        """The chain of a folder."""
        return self._chains.setdefault(folder, playing(folder))

    async def mine(self, count: int = 1) -> None:
        del count

    async def meet(self, address: Address) -> None:
        del address

    async def add_verifier(self, allowance_bytes: int) -> None:
        del allowance_bytes

    async def give(self, datacap_bytes: int) -> None:
        del datacap_bytes

    async def null_rounds(self) -> tuple[int, int]:
        return 249, 248

    async def fork(self) -> Fork:
        call = next(call for call in recorded_calls(READS) if call.method == "Filecoin.ChainGetPath")
        old, new = (tipset_key_of(*(link["/"] for link in key)) for key in call.params)
        return Fork(old, new)

    async def give_up(self) -> None:
        pass

    async def tipset_with_a_grant(self) -> tuple[TipSetKey, TipSetKey]:
        included = "bafy2bzacedahhh5b3lvks2sjioqiupwwnaidcws4hlnumyjbv3tjidots452q"
        executed = "bafy2bzacec3ul3nnserzxquoc2xb5cqbblcf3yiq54xeehn3qj72a37g2tngu"
        return tipset_key_of(included), tipset_key_of(executed)

    async def tipset_of_two_blocks(self) -> TipSetKey:
        call = next(call for call in recorded_calls(TWO_MINERS) if call.number.startswith("023-"))
        return tipset_key_of(*(link["/"] for link in call.params[0]))

    async def empty_tipset(self) -> TipSetKey:
        return tipset_key_of(_EMPTY)

    async def allocate(self) -> int:
        return 3

    async def onboard(self, allocation_id: int) -> None:
        del allocation_id

    async def publish_deal(self) -> int:
        return 2

    async def grant_to_send(self) -> Story:
        return Story(parse_message(_recorded("017").params[0], check_cid=False), _recorded_push("019"))

    async def rivals(self) -> Rivals:
        return Rivals(_recorded_push("161"), _recorded_push("167"), _recorded_push("171"))

    async def refused(self, why: str) -> SignedMessage:
        return _recorded_push(_REFUSED[why])

    async def grant_by_a_stranger(self) -> Message:
        return parse_message(_recorded("082").params[0], check_cid=False)


def _recorded(number: str) -> RecordedCall:
    return next(call for call in recorded_calls(GRANTS) if call.number.startswith(f"{number}-"))


def _recorded_push(number: str) -> SignedMessage:
    return parse_signed_message(_recorded(number).params[0], check_cid=False)
