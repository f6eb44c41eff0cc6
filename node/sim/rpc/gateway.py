"""The node as its users see it through a lotus-gateway: fewer methods, no tokens, and no far look back.

What is allowed is allowed to everybody. A tipset older than a day is refused, by its timestamp against the time that
the caller is given; a message is searched for in the last 20 epochs only, whatever limit is asked for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from node.network import EPOCH_SECONDS
from node.sim.blocks import Tipset, TipsetKey
from node.sim.errors import failure
from node.sim.rpc.dispatch import VERSION_1, VERSION_2, Dispatcher
from node.sim.rpc.event_methods import FILTER
from node.sim.rpc.methods import Node, RpcMethod
from node.sim.rpc.params import EPOCH, TIPSET_KEY, Param
from node.sim.rpc.subscriptions import CHANNELS, ChannelMethod, Emit, Subscription

DAY_S = 24 * 60 * 60
MESSAGE_LOOKBACK_EPOCHS = 20
_NO_LIMIT = -1
_TOO_OLD = "lookbacks of more than 24h0m0s are disallowed"
_NAMES = (
    *("Version", "ChainHead", "ChainNotify", "ChainGetGenesis", "ChainGetTipSet", "ChainGetTipSetByHeight"),
    *("ChainGetTipSetAfterHeight", "ChainGetFinalizedTipSet", "ChainGetBlock", "ChainGetBlockMessages"),
    *("ChainGetMessage", "ChainGetMessagesInTipset", "ChainGetParentMessages", "ChainGetParentReceipts"),
    *("ChainGetEvents", "ChainGetNode", "ChainGetPath", "ChainHasObj", "ChainReadObj"),
    *("GasEstimateGasPremium", "GasEstimateMessageGas", "MpoolGetNonce", "MpoolPending", "MpoolPush"),
    *("MsigGetAvailableBalance", "MsigGetPending", "MsigGetVested", "MsigGetVestingSchedule"),
    *("StateAccountKey", "StateCall", "StateCirculatingSupply", "StateDealProviderCollateralBounds"),
    *("StateDecodeParams", "StateGetActor", "StateGetAllocation", "StateGetAllocationForPendingDeal"),
    *("StateGetAllocations", "StateGetClaim", "StateGetClaims", "StateGetNetworkParams", "StateListMiners"),
    *("StateLookupID", "StateMarketBalance", "StateMarketStorageDeal", "StateMinerAvailableBalance"),
    *("StateMinerDeadlines", "StateMinerFaults", "StateMinerInfo", "StateMinerPower", "StateMinerProvingDeadline"),
    *("StateMinerRecoveries", "StateMinerSectorCount", "StateNetworkName", "StateNetworkVersion", "StateReadState"),
    *("StateReplay", "StateSearchMsg", "StateSectorGetInfo", "StateVerifiedClientStatus", "StateVerifierStatus"),
    *("StateWaitMsg", "WalletBalance", "WalletVerify", "GetActorEventsRaw", "SubscribeActorEventsRaw"),
    *("FilecoinAddressToEthAddress", "EthAddressToFilecoinAddress", "EthGetTransactionHashByCid"),
    *("EthGetMessageCidByTransactionHash", "EthChainId", "NetVersion", "ChainGetTipSetFinalityStatus", "StateGetID"),
)
GATEWAY_METHODS = frozenset(f"Filecoin.{name}" for name in _NAMES)
"""The methods of Lotus' namespace that a gateway passes on; those of Ethereum's it passes on as well."""
_ANY_TIPSET = frozenset({"Filecoin.ChainGetTipSet", "Filecoin.ChainGetMessagesInTipset"})
_BY_HEIGHT = frozenset({"Filecoin.ChainGetTipSetByHeight", "Filecoin.ChainGetTipSetAfterHeight"})
_MESSAGE_SEARCHES = frozenset({"Filecoin.StateSearchMsg", "Filecoin.StateWaitMsg"})
_ETHEREUM = ("eth_", "net_", "web3_")


@dataclass(frozen=True, slots=True)
class Lookback:
    """How old what is asked for may be. `now_s` tells the time as seconds of the epoch of Unix."""

    now_s: Callable[[], float]

    def check_time(self, timestamp_s: float, what: str) -> None:
        """Returns where a time is not too long ago; RpcFault where it is."""
        if self.now_s() - timestamp_s > DAY_S:
            raise failure(f"{what}: {_TOO_OLD}")

    def check_tipset(self, tipset: Tipset) -> None:
        """Returns where a tipset is not too old; RpcFault where it is."""
        self.check_time(tipset.blocks[0].timestamp, "bad tipset")

    def check_key(self, node: Node, key: TipsetKey) -> None:
        """The same of the tipset of a key; the head is never too old."""
        if key:
            self.check_tipset(node.tipset(key))

    def check_height(self, node: Node, height: int, key: TipsetKey) -> None:
        """The same of a height that is looked for from a tipset, the head for none."""
        start = node.tipset(key)
        self.check_tipset(start)
        back_s = (start.height - height) * EPOCH_SECONDS
        self.check_time(start.blocks[0].timestamp - back_s, "bad tipset height")

    def check(self, node: Node, method: RpcMethod, params: tuple[Any, ...]) -> None:
        """Returns where a request does not look too far back; RpcFault where it does."""
        given = list(zip(method.params, params, strict=False))
        if method.name in _BY_HEIGHT:
            self.check_height(node, *params)
            return
        if method.name not in _ANY_TIPSET:
            for key in (value for kind, value in given if kind is TIPSET_KEY):
                self.check_key(node, key)
        self.check_filters(node, given)

    def check_filters(self, node: Node, given: Iterable[tuple[Param[Any], Any]]) -> None:
        """Returns where no filter of events begins too far back; RpcFault where one does."""
        for wanted in (value for kind, value in given if kind is FILTER):
            if wanted.from_height is not None:
                self.check_height(node, wanted.from_height, ())


def _guarded(method: RpcMethod, lookback: Lookback) -> RpcMethod:
    """The method as a gateway passes it on."""

    def answer(node: Node, *params: Any) -> object:
        lookback.check(node, method, params)
        return method.answer(node, *_capped(method, params))

    return replace(method, answer=answer, permission="read")


def _capped(method: RpcMethod, params: tuple[Any, ...]) -> tuple[Any, ...]:
    """The parameters, the limit of a search for a message not beyond the gateway's own."""
    if method.name not in _MESSAGE_SEARCHES:
        return params
    return tuple(
        _capped_limit(value) if kind is EPOCH else value for kind, value in zip(method.params, params, strict=False)
    )


def _capped_limit(limit: int) -> int:
    return MESSAGE_LOOKBACK_EPOCHS if limit == _NO_LIMIT else min(limit, MESSAGE_LOOKBACK_EPOCHS)


def _guarded_channel(channel: ChannelMethod, lookback: Lookback) -> ChannelMethod:
    """The channel, opened only where it does not begin too far back."""

    def opened(node: Node, emit: Emit, *params: Any) -> Subscription:
        lookback.check_filters(node, zip(channel.params, params, strict=False))
        return channel.opened(node, emit, *params)

    return replace(channel, opened=opened)


def _is_passed(name: str) -> bool:
    return name in GATEWAY_METHODS or name.startswith(_ETHEREUM)


def gateway_dispatchers(node: Node, *, now_s: Callable[[], float]) -> dict[str, Dispatcher]:
    """A gateway's dispatchers by the paths that it serves."""
    lookback = Lookback(now_s)
    channels = {name: _guarded_channel(one, lookback) for name, one in CHANNELS.items() if _is_passed(name)}
    served = {"/rpc/v1": VERSION_1, "/rpc/v2": VERSION_2}
    return {
        path: Dispatcher(
            node, {name: _guarded(one, lookback) for name, one in methods.items() if _is_passed(name)}, channels
        )
        for path, methods in served.items()
    }
