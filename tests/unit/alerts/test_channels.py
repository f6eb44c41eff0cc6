"""Chat and mail: which addresses are read, and what becomes of a letter. No message leaves this test."""

import asyncio
import threading

import pytest

from explorer.alerts import channels
from explorer.alerts.channels import ChannelSender, apprise_notifier, message_of, parse_channels
from explorer.alerts.errors import ChannelRefused
from explorer.alerts.schedule import Outcome
from explorer.alerts.sending import Letter

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"
DISCORD = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
MATRIX = "matrixs://user:password@matrix.example/#notaries"
MAIL = "mailtos://user:password@mail.example?to=a@mail.example,b@mail.example"
BODY = '{"type":"review.requested","timestamp":"2026-11-23T00:00:00.000Z","data":{"id":"r1","job":{}}}'


class Noting:
    """A notifier that notes what it would have sent."""

    def __init__(self, result: object = True) -> None:
        self.result = result
        self.sent: list[tuple[str, str]] = []

    def add(self, servers: str) -> bool:
        return "unreadable" not in servers

    def notify(self, body: str, title: str) -> object:
        self.sent.append((title, body))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def letter(endpoint_id: str) -> Letter:
    return Letter(endpoint_id, "slack://", "msg_1", "review.requested", BODY)


def test_channels_have_spaces_between_and_ids_of_their_own() -> None:
    parsed = parse_channels(f"{SLACK} {DISCORD}\n{MAIL}\t{MATRIX} {SLACK}")
    assert [one.scheme for one in parsed] == ["slack", "discord", "mailtos", "matrixs"]
    assert len({one.id for one in parsed}) == 4
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in repr(parsed)


@pytest.mark.parametrize(
    "text",
    [
        "signal://169.254.169.254/1/2",
        "json://127.0.0.1/",
        "jsons://notary.example/",
        "xml://a",
        "form://a",
        "mailto://user:password@mail.example",
        "matrix://user:password@mail.example",
        "file:///etc/passwd",
        "http://a.example/",
        "syslog://",
        "exec://x",
        "password-without-scheme",
    ],
)
def test_other_schemes_are_refused_without_showing_more(text: str) -> None:
    with pytest.raises(ChannelRefused) as caught:
        parse_channels(text)
    assert "password" not in str(caught.value)
    assert "169.254" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:.imghdr. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("address", [SLACK, DISCORD, MATRIX, MAIL])
def test_apprise_reads_what_is_allowed(address: str) -> None:
    assert apprise_notifier().add(address)


def test_an_address_that_apprise_cant_read_is_refused_without_being_shown() -> None:
    with pytest.raises(ChannelRefused) as caught:
        ChannelSender(parse_channels("slack://unreadable-password"), Noting)
    assert "unreadable-password" not in str(caught.value)


def test_a_text_for_people_has_the_plain_fields_and_no_escapes() -> None:
    title, text = message_of(
        {"type": "review.requested", "timestamp": "T", "data": {"id": "r1", "note": "a\x1b[31m", "job": {}}}, "msg_1"
    )
    assert title == "filplus: review.requested"
    assert text.split("\n") == ["id: r1", "note: a [31m", "at: T", "message: msg_1"]


@pytest.mark.parametrize(
    ("result", "outcome"),
    [(True, Outcome.DELIVERED), (False, Outcome.TRANSIENT), (RuntimeError("secret"), Outcome.TRANSIENT)],
)
async def test_what_comes_of_a_letter(result: object, outcome: Outcome) -> None:
    noting = Noting(result)
    [channel] = parse_channels(SLACK)
    sender = ChannelSender((channel,), lambda: noting)
    answer = await sender.send(letter(channel.id))
    assert answer.outcome is outcome
    assert "secret" not in (answer.error or "")
    assert [title for title, _ in noting.sent] == ["filplus: review.requested"]
    assert (await sender.send(letter("ch_other"))).outcome is Outcome.TRANSIENT
    sender.close()


async def test_a_channel_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "TIMEOUT_S", 0.1)
    let_go = threading.Event()

    class Hanging(Noting):
        def notify(self, body: str, title: str) -> object:
            return let_go.wait(10)

    [channel] = parse_channels(SLACK)
    sender = ChannelSender((channel,), Hanging)
    answers = await asyncio.gather(*(sender.send(letter(channel.id)) for _ in range(4)))
    let_go.set()
    sender.close()
    assert {answer.outcome for answer in answers} == {Outcome.TRANSIENT}
