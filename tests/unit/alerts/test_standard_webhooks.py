"""Signing, held against the specification's example and the reference library."""

import base64
import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from explorer.alerts.standard_webhooks import (
    Secret,
    body_of,
    headers,
    is_genuine,
    is_type,
    key_of,
    new_message_id,
    new_secret,
    sign,
)

NOW = datetime.now(UTC)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()


def test_the_published_vector() -> None:
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(min_size=24, max_size=64), st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=5))
def test_the_reference_library_believes_what_we_sign(key: bytes, data: dict[str, str]) -> None:
    now = datetime.now(UTC)  # the library goes by the clock
    secret = "whsec_" + base64.b64encode(key).decode()
    body = body_of("review.requested", now, data)
    signed = headers([Secret(secret, now)], "msg_1", now, body.encode())
    document = Webhook(secret).verify(body.encode(), signed)
    assert document["data"] == data
    assert document["type"] == "review.requested"
    reference = Webhook(secret).sign("msg_1", datetime.fromtimestamp(math.floor(now.timestamp()), UTC), body)
    assert signed["webhook-signature"] == reference


def test_each_changed_byte_is_noticed() -> None:
    body = body_of("review.decided", NOW, {"id": "r1"}).encode()
    signed = headers([Secret(SECRET, NOW)], "msg_1", NOW, body)
    assert is_genuine(SECRET, signed, body, now=NOW)
    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert not is_genuine(SECRET, signed, changed, now=NOW)
        with pytest.raises((WebhookVerificationError, ValueError)):
            Webhook(SECRET).verify(changed, signed)
    for name, value in (("webhook-id", "msg_2"), ("webhook-timestamp", str(int(NOW.timestamp()) + 1))):
        assert not is_genuine(SECRET, {**signed, name: value}, body, now=NOW)


@pytest.mark.parametrize("minutes", [-5.1, 5.1, 1e6])
def test_an_old_or_early_message_is_not_genuine(minutes: float) -> None:
    signed = headers([Secret(SECRET, NOW)], "msg_1", NOW, b"{}")
    assert not is_genuine(SECRET, signed, b"{}", now=NOW + timedelta(minutes=minutes))


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()))
def test_whatever_a_stranger_sends_is_only_not_genuine(received: dict[str, str]) -> None:
    assert not is_genuine(SECRET, received, b"{}", now=NOW)


def test_while_a_secret_is_rotated_receivers_with_either_believe_the_message() -> None:
    now = datetime.now(UTC)  # the library goes by the clock
    hour = timedelta(hours=1)
    both = [Secret(SECRET, now - hour, now + hour), Secret(OTHER, now)]
    signed = headers(both, "msg_1", now, b"{}")
    assert len(signed["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, OTHER):
        assert is_genuine(secret, signed, b"{}", now=now)
        Webhook(secret).verify(b"{}", signed)
    before, after = now - timedelta(seconds=1), now + hour
    assert not is_genuine(OTHER, headers(both, "msg_1", before, b"{}"), b"{}", now=before)
    assert not is_genuine(SECRET, headers(both, "msg_1", after, b"{}"), b"{}", now=after)


def test_nothing_is_sent_unsigned() -> None:
    with pytest.raises(ValueError, match="no secret holds"):
        headers([Secret(SECRET, NOW, NOW)], "msg_1", NOW, b"{}")


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "a\n", "ä", "x" * 129])
def test_an_id_that_moves_borders_is_refused(message_id: str) -> None:
    with pytest.raises(ValueError, match="no message's id"):
        sign(key_of(SECRET), message_id, 1, b"{}")


@pytest.mark.parametrize("secret", ["whsec_", "whsec_????", "whsec_" + "A" * 20, "whsec_" + "A" * 100, "ä"])
def test_a_secret_of_no_good_key_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="secret") as caught:
        key_of(secret)
    assert secret == "whsec_" or secret not in str(caught.value)


@given(st.binary(min_size=32, max_size=32))
def test_new_secrets_and_ids_can_be_used(entropy: bytes) -> None:
    assert key_of(new_secret(lambda number: entropy[:number])) == entropy
    message_id = new_message_id(lambda number: entropy[:number])
    assert "." not in message_id
    assert sign(entropy, message_id, 1, b"").startswith("v1,")


def test_a_body_is_one_line_with_the_time_of_the_fact_in_utc() -> None:
    at = datetime.fromisoformat("2026-11-23T10:00:00.1239+02:00")
    body = body_of("review.expiring", at, {"id": "r1", "name": "Zoë\u2028"})
    assert json.loads(body) == {
        "type": "review.expiring",
        "timestamp": "2026-11-23T08:00:00.123Z",
        "data": {"id": "r1", "name": "Zoë\u2028"},
    }
    assert "\n" not in body
    assert body.isascii()


def test_a_body_holds_no_number_that_json_lacks() -> None:
    with pytest.raises(ValueError, match="JSON"):
        body_of("a.b", NOW, {"x": math.nan})


@pytest.mark.parametrize("text", ["", ".", "a.", "a..b", "a b", "a-b", "ä"])
def test_what_is_no_type(text: str) -> None:
    assert not is_type(text)
    assert is_type("review.requested")
