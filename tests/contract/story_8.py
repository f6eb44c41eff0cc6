"""Folder 08: two miners, tipsets of one and two blocks, and three messages in each of seven tipsets."""

from node.message import Message
from tests.contract.devnets import Setup
from tests.contract.recorded_calls import calls_of
from tests.contract.sending import CLIENT, CLIENT_2, NOTARY, NOTARY_2, NOTARY_3, add_verifier, grant
from tests.contract.stories import Closed, Mined, Opened, Pushed, Replaced, Sent, Step, Story

_WEBSOCKET = "ws-chainnotify-and-events.ndjson"
_OF_TWO_BLOCKS = (3, 4, 5, 8, 12, 13, 14, 15, 16, 17, 18, 21, 22, 25, 26, 27, 28, 29, 32, 33)
_PUSHED_BEFORE = {15: 1, 16: 2, 17: 3, 18: 4, 19: 5, 21: 6, 22: 7}
"""The tipset that holds each round of messages."""
_WAITS_A_ROUND = 3


def _round(number: int) -> tuple[Message, ...]:
    """One grant of each notary, of as many TiB as the round has before it and one."""
    client = CLIENT if number % 2 else CLIENT_2
    premiums = (100_300, 100_200, 100_100) if number < 7 else (100_100, 100_200, 100_300)
    senders = (NOTARY, NOTARY_2, NOTARY_3)
    return tuple(
        grant(sender, client, number << 40, number - 1, premium)
        for sender, premium in zip(senders, premiums, strict=True)
    )


def _cids(number: int) -> tuple[str, ...]:
    """What the recorded node called the messages of a round: the driver waited for each."""
    waits = calls_of("08")[_WAITS_A_ROUND * (number - 1) : _WAITS_A_ROUND * number]
    return tuple(one.params[0]["/"] for one in waits)


def _growth() -> tuple[Step, ...]:
    """From the opening of the websocket to the end."""
    steps: list[Step] = [Opened(_WEBSOCKET)]
    for height in (15, 16, 17, 18, 19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 31, 32, 33):
        if height in _PUSHED_BEFORE:
            number = _PUSHED_BEFORE[height]
            steps.append(Pushed(_round(number), _cids(number)))
        steps.append(Replaced(20) if height == 20 else Mined((height,)))
    return (*steps, Closed(_WEBSOCKET))


STORY = Story(
    folders=("08",),
    setup=Setup(miners=2, genesis_time_s=1_785_385_591),
    blocks=dict.fromkeys(_OF_TWO_BLOCKS, 2),
    steps={
        ("08", "000-StateWaitMsg"): (
            Mined((1, 2)),
            Sent((add_verifier(NOTARY, 10 << 50, 0),), 4),
            Mined((5, 6)),
            Sent((add_verifier(NOTARY_2, 10 << 50, 1),), 8),
            Mined((9, 10, 11)),
            Sent((add_verifier(NOTARY_3, 10 << 50, 2),), 13),
            Mined((14,)),
            *_growth(),
        ),
    },
)
