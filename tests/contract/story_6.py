"""Folder 06: a node as it comes, with actor events, Ethereum's methods and the index of messages off."""

from tests.contract.devnets import Setup
from tests.contract.stories import END, Closed, Mined, Opened, Story

_WEBSOCKET = "ws-actor-events-off.ndjson"
STORY = Story(
    folders=("06",),
    setup=Setup(events_enabled=False, eth_enabled=False),
    steps={
        ("06", "001-GetActorEventsRaw"): (Mined((1, 2, 3)),),
        ("06", END): (Opened(_WEBSOCKET), Closed(_WEBSOCKET)),
    },
)
