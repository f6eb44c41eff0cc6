"""The dispatcher: a method's name and JSON parameters in, Lotus' JSON result out, or RpcFault as Lotus words it."""

from collections.abc import Sequence
from typing import Any

from node.errors import FilecoinError
from node.message import signed_message_cid
from node.sim.blocks import link
from node.sim.chain import SimulatedChain
from node.sim.errors import INVALID_PARAMS, METHOD_NOT_FOUND, PARSE_ERROR, RpcFault, failure
from node.sim.faults import TRANSPORT_KINDS, FaultAction, FaultKind, Faults
from node.sim.keys import derived_secret
from node.sim.rpc import (
    chain_methods,
    daemon_methods,
    eth_methods,
    event_methods,
    fault_orders,
    mempool_methods,
    message_methods,
    multisig_methods,
    multisig_signers,
    node_methods,
    record_methods,
    sector_methods,
    sim_methods,
    state_methods,
    v2_methods,
    wallet_methods,
)
from node.sim.rpc.faulty import fork_first, from_behind, of_another_network
from node.sim.rpc.large import plain
from node.sim.rpc.methods import ALL_PERMISSIONS, Node, RpcMethod, Waiting, methods_by_name
from node.sim.rpc.params import BadParam, Param, read_signed_message
from node.sim.rpc.subscriptions import CHANNELS, ChannelMethod, Emit, Subscription, no_channel
from node.sim.rpc.tokens import Tokens

_SHARED = (
    *(
        chain_methods.METHODS,
        state_methods.METHODS,
        record_methods.METHODS,
        message_methods.METHODS,
        mempool_methods.METHODS,
    ),
    *(wallet_methods.METHODS, multisig_methods.METHODS, event_methods.METHODS, node_methods.METHODS),
    *(
        sector_methods.METHODS,
        multisig_signers.METHODS,
        daemon_methods.METHODS,
        eth_methods.METHODS,
        sim_methods.METHODS,
        (fault_orders.fault_method(lambda: _KNOWN),),
    ),
)
VERSION_1: dict[str, RpcMethod] = methods_by_name(_SHARED)
"""What /rpc/v1 serves."""
VERSION_0: dict[str, RpcMethod] = VERSION_1 | methods_by_name((node_methods.OLDEST,))
"""What /rpc/v0 serves."""
VERSION_2: dict[str, RpcMethod] = methods_by_name((v2_methods.METHODS, eth_methods.METHODS))
"""What /rpc/v2 serves."""
_KNOWN: frozenset[str] = frozenset({*VERSION_0, *VERSION_1, *VERSION_2, *CHANNELS})


class Dispatcher:
    """Answers requests about a node's chain."""

    def __init__(
        self,
        node: Node,
        methods: dict[str, RpcMethod] | None = None,
        channels: dict[str, ChannelMethod] = CHANNELS,
    ) -> None:
        self.node = node
        self._methods = VERSION_1 if methods is None else methods
        self._channels = channels

    def call(self, name: str, params: object = None, *, permissions: frozenset[str] = ALL_PERMISSIONS) -> object:
        """The result of a method in JSON, as `answer` gives it; a large one in one piece."""
        return plain(self.answer(name, params, permissions=permissions))

    def answer(self, name: str, params: object = None, *, permissions: frozenset[str] = ALL_PERMISSIONS) -> object:
        """The result of a method in JSON, or `Large`. RpcFault: Lotus' error.

        `Waiting` where the result comes only after the chain has grown; `FaultAction` where the transport is to
        misbehave instead.
        """
        method = self._methods.get(name)
        if method is None:
            raise self._unknown(name)
        values = _listed(params)
        fault = self.node.faults.take(name)
        if fault in TRANSPORT_KINDS and fault is not None:
            return FaultAction(fault)
        _check_count(method, len(values))
        if method.permission not in permissions:
            short = name.removeprefix("Filecoin.")
            raise failure(f"missing permission to invoke '{short}' (need '{method.permission}')")
        read = [_read(name, param, value) for param, value in zip(method.params, values, strict=False)]
        try:
            return self._faulty(fault, method, values, read) if fault else method.answer(self.node, *read)
        except (FilecoinError, BadParam) as error:
            raise failure(str(error)) from error

    def _unknown(self, name: str) -> RpcFault:
        if name in self._channels:
            return no_channel(name)
        return RpcFault(METHOD_NOT_FOUND, f"method '{name}' not found", http_status=500)

    def _faulty(self, fault: FaultKind, method: RpcMethod, values: Sequence[object], read: Sequence[Any]) -> object:
        """An answer with a fault that the node plays by itself."""
        node = self.node
        if fault == "lost" and method.name == "Filecoin.MpoolPush":
            signed = read_signed_message(values[0])
            return None if signed is None else link(signed_message_cid(signed))
        if fault == "network":
            return of_another_network(method.name, method.answer(node, *read))
        if fault == "fork":
            fork_first(node)
        if fault == "stale":
            with from_behind(node):
                return method.answer(node, *read)
        return method.answer(node, *read)

    def subscribe(
        self, name: str, params: object, emit: Emit, *, permissions: frozenset[str] = ALL_PERMISSIONS
    ) -> Subscription:
        """Opens a channel; its later values go to `emit`. RpcFault as in `call`."""
        if "read" not in permissions:
            short = name.removeprefix("Filecoin.")
            raise failure(f"missing permission to invoke '{short}' (need 'read')")
        if name not in self._channels:
            raise self._unknown(name)
        channel = self._channels[name]
        values = _listed(params)
        if len(values) > len(channel.params) or len(values) < len(channel.params) - channel.optional:
            text = f"wrong param count (method '{name}'): {len(values)} != {len(channel.params)}"
            raise RpcFault(INVALID_PARAMS, text, http_status=500)
        read = [_read(name, kind, value) for kind, value in zip(channel.params, values, strict=False)]
        return channel.opened(self.node, emit, *read)

    def is_channel(self, name: str) -> bool:
        """Whether a method opens a channel."""
        return name in self._channels


def _check_count(method: RpcMethod, count: int) -> None:
    """Returns where a method takes that many parameters; RpcFault where not."""
    most = len(method.params)
    least = most - method.optional
    if least <= count <= most:
        return
    text = f"wrong param count (method '{method.name}'): {count} != {most}"
    if method.name.startswith("Sim."):
        due = str(most) if least == most else f"{least} to {most}"
        text = f"{method.name}({method.takes}) takes {due} parameters, not {count}"
    raise RpcFault(INVALID_PARAMS, text, http_status=500)


def _listed(params: object) -> list[object]:
    """The parameters as a list; none where they are left out or null."""
    if params is None:
        return []
    if isinstance(params, list):
        return params
    kind = "object" if isinstance(params, dict) else "string" if isinstance(params, str) else "number"
    text = f"unmarshaling param array: json: cannot unmarshal {kind} into Go value of type []jsonrpc.param"
    raise RpcFault(PARSE_ERROR, text, http_status=500)


def _read(name: str, param: Param[Any], value: object) -> Any:
    try:
        return param.read(value)
    except BadParam as error:
        text = f"unmarshaling params for '{name}' (param: *{param.go_type}): {error}"
        raise RpcFault(PARSE_ERROR, text, http_status=500) from error


def dispatchers(node: Node) -> dict[str, Dispatcher]:
    """A node's dispatchers by the paths that they serve."""
    served = {"/rpc/v0": VERSION_0, "/rpc/v1": VERSION_1, "/rpc/v2": VERSION_2}
    return {path: Dispatcher(node, methods) for path, methods in served.items()}


def open_node(chain: SimulatedChain, *, admin_token: str | None = None) -> Node:
    """The node over a chain. With a token set, whoever does not show it may read."""
    seed = chain.options.seed
    return Node(chain, Tokens(derived_secret(seed, "tokens"), admin_token), Faults(seed))


__all__ = ["VERSION_0", "VERSION_1", "VERSION_2", "Dispatcher", "Waiting", "dispatchers", "open_node"]
