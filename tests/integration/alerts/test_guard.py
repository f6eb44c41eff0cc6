"""Every way in which an address could lead inwards, against servers that must never be reached."""

import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from ipaddress import ip_network
from itertools import cycle

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from explorer.alerts.addresses import Policy
from explorer.alerts.errors import AddressRefused
from explorer.alerts.guard import Guard, guarded_session
from explorer.alerts.letters import Answer, Letter
from explorer.alerts.schedule import Outcome
from explorer.alerts.sending import open_webhook_sender
from explorer.alerts.standard_webhooks import Secret, new_secret
from tests.integration.alerts.conftest import BEGAN, LOCAL
from tests.integration.alerts.receiver import Received, Receiver, receiving

NOBODY = Policy()
SECRETS = (Secret(new_secret(bytes), BEGAN),)


class Answers(AbstractResolver):
    """A resolver that gives these answers, one look after the other, from the first again after the last."""

    def __init__(self, *looks: Sequence[str]) -> None:
        self.looks: Iterator[Sequence[str]] = cycle(looks)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for one in next(self.looks)
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
async def inside() -> AsyncIterator[Receiver]:
    """A server on every local address, that nothing may reach."""
    async with receiving(host="0.0.0.0") as receiver:
        yield receiver
        assert receiver.requests == []


def port_of(receiver: Receiver) -> int:
    return int(receiver.url.rpartition(":")[2].partition("/")[0])


async def sent(url: str, policy: Policy = NOBODY, resolver: AbstractResolver | None = None) -> Answer:
    """What comes of sending there, without asking first whether the address is well spelt."""
    options = {} if resolver is None else {"resolver": lambda: resolver}
    async with open_webhook_sender(policy, now=lambda: BEGAN, **options) as sender:
        return await sender.send(Letter("wh", url, "msg_1", "webhook.test", "{}", SECRETS))


LITERALS = [
    "127.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "017700000001", "0177.0.0.1", "0x7f.0.0.1",
    "0x7f000001", "0X7F.1", "127.0.0.1.", "localhost", "localhost.", "①②⑦.0.0.1", "127。0。0。1", "१२७.0.0.1",
    "[::1]", "[::]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fe80::1%lo]", "[fec0::1]",
    "user@127.0.0.1", "example.com@127.0.0.1", "user:password@localhost", "169.254.169.254", "[fd00:ec2::254]",
]  # fmt: skip


@pytest.mark.parametrize("host", LITERALS)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_form_of_a_local_address_is_reached(inside: Receiver, scheme: str, host: str) -> None:
    for policy in (NOBODY, Policy((ip_network("10.99.0.0/16"),))):
        answer = await sent(f"{scheme}://{host}:{port_of(inside)}/hook", policy)
        assert answer.outcome in {Outcome.REFUSED, Outcome.TRANSIENT}
        assert answer.status is None


async def test_without_the_guard_the_server_would_be_reached() -> None:
    async with receiving() as receiver:
        assert (await sent(receiver.url, LOCAL)).outcome is Outcome.DELIVERED
        assert (await sent(receiver.url.replace("127.0.0.1", "localhost"), LOCAL)).outcome is Outcome.DELIVERED
        mapped = receiver.url.replace("127.0.0.1", "[::ffff:127.0.0.1]")
        assert (await sent(mapped, LOCAL)).outcome is Outcome.DELIVERED
        assert len(receiver.requests) == 3
        answer = await sent(receiver.url, NOBODY)
        assert answer.outcome is Outcome.REFUSED
        assert answer.error is not None
        assert "AddressRefused" in answer.error
        assert len(receiver.requests) == 3


@pytest.mark.parametrize(
    "looks",
    [
        [["127.0.0.1"]],
        [["8.8.8.8", "127.0.0.1"]],
        [["127.0.0.1", "8.8.8.8"]],
        [["8.8.8.8", "::ffff:127.0.0.1"]],
        [["2606:4700::1111", "64:ff9b::7f00:1"]],
        [["169.254.169.254"]],
        [["8.8.8.8", "fd00:ec2::254"]],
    ],
)
async def test_a_name_with_any_private_answer_is_refused_before_anything_is_opened(
    inside: Receiver, looks: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(Guard, "socket", lambda _, info: opened.append(info))
    for port in (port_of(inside), 443):
        answer = await sent(f"https://notary.example:{port}/hook", NOBODY, Answers(*looks))
        assert answer.outcome is Outcome.REFUSED
    assert opened == []


async def test_a_name_that_is_rebound_after_it_was_looked_up_is_refused(inside: Receiver) -> None:
    answers = Answers(["203.0.113.7"], ["127.0.0.1"])
    for _ in range(4):
        answer = await sent(f"https://notary.example:{port_of(inside)}/hook", NOBODY, answers)
        assert answer.outcome is Outcome.REFUSED
    assert answers.asked == 4  # nothing is remembered: each attempt judges what it uses


async def test_the_last_look_is_judged_even_if_the_resolver_is_not_asked(inside: Receiver) -> None:
    """The factory alone, with a resolver that isn't wrapped: what a name stands for at the time of dialling counts."""
    guard = Guard(NOBODY, plain=False)
    session = guarded_session(guard)
    assert session.connector is not None
    async with session:
        session.connector._resolver = Answers(["127.0.0.1"])  # type: ignore[attr-defined]
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.post(f"https://notary.example:{port_of(inside)}/")
    assert isinstance(caught.value.os_error, AddressRefused)


async def test_a_redirect_inwards_is_not_followed(inside: Receiver) -> None:
    for status in (301, 302, 303, 307, 308):

        async def lead_inwards(_: web.Request, __: Received, status: int = status) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": f"http://127.0.0.1:{port_of(inside)}/"})

        async with receiving(lead_inwards) as outside:
            answer = await sent(outside.url, LOCAL)
        assert (answer.outcome, answer.status) == (Outcome.REFUSED, status)


async def test_plain_http_reaches_only_what_is_allowed(inside: Receiver) -> None:
    """A public address would be refused by http too; were it opened, the attempt would not be refused but fail."""
    for host in ("8.8.8.8", "[2606:4700::1111]"):
        assert (await sent(f"http://{host}:443/", LOCAL)).outcome is Outcome.REFUSED
    assert (await sent("http://notary.example/", LOCAL, Answers(["8.8.8.8", "127.0.0.1"]))).outcome is Outcome.REFUSED


async def test_proxies_of_the_environment_are_not_used(inside: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port_of(inside)}")
    assert (await sent("https://notary.example/", NOBODY, Answers(["10.0.0.1"]))).outcome is Outcome.REFUSED
    async with receiving() as receiver:
        assert (await sent(receiver.url, LOCAL)).outcome is Outcome.DELIVERED


async def test_connections_are_not_kept() -> None:
    async with receiving() as receiver:
        assert (await sent(receiver.url, LOCAL)).outcome is Outcome.DELIVERED
    assert receiver.requests[0].headers["connection"] == "close"
