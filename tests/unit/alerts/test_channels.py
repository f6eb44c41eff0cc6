"""Chat and mail: which addresses are read, and what people are told. No process is started here."""

import pytest

from explorer.alerts.channels import message_of, parse_channels
from explorer.alerts.errors import ChannelRefused
from explorer.ground.setting_values import parse_notify_urls

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"
DISCORD = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
MATRIX = "matrixs://user:password@matrix.example/#notaries"
MAIL = "mailtos://user:password@mail.example?to=a@mail.example,b@mail.example"


@pytest.mark.parametrize("text", [f"{SLACK} {DISCORD}\n{MAIL}\t{MATRIX}", f"{SLACK}, {DISCORD},{MAIL} , {MATRIX}"])
def test_addresses_have_spaces_between_or_commas(text: str) -> None:
    assert parse_notify_urls(text) == (SLACK, DISCORD, MAIL, MATRIX)


def test_channels_have_ids_of_their_own_and_show_no_secret() -> None:
    parsed = parse_channels((SLACK, DISCORD, MAIL, MATRIX, SLACK))
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
    with pytest.raises(ChannelRefused, match=r"FILPLUS_NOTIFY_URLS.*allowed are discord://") as caught:
        parse_channels((text,))
    assert "password" not in str(caught.value)
    assert "169.254" not in str(caught.value)


def test_a_text_for_people_has_the_plain_fields_and_neither_escapes_nor_orders() -> None:
    data = {"id": "r1", "note": "a\x1b[31m <!channel> @everyone", "job": {}}
    title, text = message_of({"type": "review.requested", "timestamp": "T", "data": data}, "msg_1")
    assert title == "filplus: review.requested"
    assert text.split("\n") == [
        "id: r1",
        "note: a [31m <\u2060!channel> @\u2060everyone",
        "at: T",
        "message: msg_1",
    ]
