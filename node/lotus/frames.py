"""Subscriptions on a websocket, as go-jsonrpc frames them:

─► {"jsonrpc":"2.0","id":1,"method":"Filecoin.ChainNotify","params":[]}
◄─ {"id":1,"jsonrpc":"2.0","result":7}                                      values will come on channel 7
◄─ {"jsonrpc":"2.0","method":"xrpc.ch.val","params":[7, …]}                 one
◄─ {"jsonrpc":"2.0","method":"xrpc.ch.close","params":[7]}                  no more of them
"""

from collections.abc import Mapping, Sequence

from node.chain.errors import GarbledAnswer, StreamBroken
from node.errors import excerpt
from node.lotus.envelope import parse_json, result_of
from node.lotus.transport import Frame, RpcFault

_EARLY_FRAMES_MAX = 1000


class Channels:
    """Sorts a websocket's frames to the calls that subscribed. The call at index i was sent with `ids[i]`."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._index_of_id = {request_id: index for index, request_id in enumerate(ids)}
        self._index_of_channel: dict[int, int] = {}
        self._early: list[tuple[int, object]] = []

    @property
    def all_open(self) -> bool:
        """Whether every call was answered."""
        return not self._index_of_id

    def knows(self, channel: object) -> bool:
        """Whether the channel is one of ours."""
        return channel in self._index_of_channel

    def take(self, text: str) -> list[Frame]:
        """The values that a frame brings, mostly one.

        RpcFault where a subscription is refused, StreamBroken where the node ends one, GarbledAnswer for the rest.
        """
        document = parse_json(text)
        if not isinstance(document, Mapping):
            raise GarbledAnswer(f"a frame is an object, not {excerpt(document)}")
        if "method" not in document:
            return self._opened(document)
        params = document.get("params")
        if document["method"] == "xrpc.ch.val":
            return self._value(params)
        if document["method"] == "xrpc.ch.close" and self._is_ours(params):
            raise StreamBroken("the node ended the subscription")
        return []

    def _opened(self, document: Mapping[str, object]) -> list[Frame]:
        request_id = document.get("id")
        if type(request_id) is not int or request_id not in self._index_of_id:
            raise GarbledAnswer(f"a frame that answers {excerpt(request_id)}, which was not asked")
        channel = self._channel_of(document, request_id)
        if type(channel) is not int or channel in self._index_of_channel:
            raise GarbledAnswer(f"a subscription was answered with {excerpt(channel)} instead of a new channel")
        index = self._index_of_channel[channel] = self._index_of_id.pop(request_id)
        early = [Frame(index, value) for at, value in self._early if at == channel]
        self._early = [(at, value) for at, value in self._early if at != channel]
        return early

    def _channel_of(self, document: Mapping[str, object], request_id: int) -> object:
        try:
            return result_of(document, request_id)
        except RpcFault as fault:
            fault.index = self._index_of_id[request_id]
            raise

    def _value(self, params: object) -> list[Frame]:
        if not isinstance(params, list) or len(params) != 2 or type(params[0]) is not int:
            raise GarbledAnswer("a value of a subscription without its channel")
        index = self._index_of_channel.get(params[0])
        if index is not None:
            return [Frame(index, params[1])]
        if self.all_open or len(self._early) >= _EARLY_FRAMES_MAX:
            raise GarbledAnswer(f"a value on channel {excerpt(params[0])}, which is nobody's")
        self._early.append((params[0], params[1]))
        return []

    def _is_ours(self, params: object) -> bool:
        return isinstance(params, list) and bool(params) and params[0] in self._index_of_channel
