"""Standard Webhooks 1.0.0: ids, bodies, secrets and symmetric signatures (v1, HMAC-SHA256). Pure.

    webhook-id: msg_…                       the same at every attempt
    webhook-timestamp: 1674087231           of the attempt
    webhook-signature: v1,BASE64 v1,BASE64  one for each secret that holds at that time

Signed is `id.timestamp.body`, over the very bytes that are sent.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

TOLERANCE: Final = timedelta(minutes=5)
SECRET_BYTES: Final = 32

_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a prefix that everybody knows
_KEY_BYTES: Final = range(24, 65)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TYPE: Final = re.compile(r"[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*")

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing key as its receiver has it, valid from `not_before` until before `not_after` (None: for ever)."""

    text: str = field(repr=False)
    not_before: datetime
    not_after: datetime | None = None

    def holds_at(self, moment: datetime) -> bool:
        """Whether messages sent at that moment are signed with it."""
        return self.not_before <= moment and (self.not_after is None or moment < self.not_after)


def new_secret(random_bytes: RandomBytes) -> str:
    """A secret as its receiver is told it: `whsec_` and 32 bytes in base64."""
    return _SECRET_PREFIX + base64.b64encode(random_bytes(SECRET_BYTES)).decode()


def new_message_id(random_bytes: RandomBytes) -> str:
    """An id that no other message has: `msg_` and 20 bytes in base32, without a full stop."""
    return "msg_" + base64.b32encode(random_bytes(20)).decode().lower()


def key_of(secret: str) -> bytes:
    """The key that a secret stands for. ValueError, which doesn't show it, unless it is base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the secret is not base64 after whsec_") from None
    if len(key) not in _KEY_BYTES:
        raise ValueError(f"the secret has {len(key)} bytes: Standard Webhooks asks for 24 to 64")
    return key


def is_type(text: str) -> bool:
    """Whether the text is a type of message: identifiers with full stops between, as `review.requested`."""
    return _TYPE.fullmatch(text) is not None


def body_of(message_type: str, at: datetime, data: Mapping[str, Any]) -> str:
    """The body of a message: type, time of the fact, and the fact. ValueError, TypeError for what is no JSON."""
    when = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    document = {"type": message_type, "timestamp": when, "data": dict(data)}
    return json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def sign(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """One signature, as `v1,BASE64`. ValueError for an id that could move the borders of what is signed."""
    if not _ID.fullmatch(message_id):
        raise ValueError(f"{message_id!r} is no message's id: letters, digits, _ and -")
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp_s, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(secrets: Iterable[Secret], message_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt at that moment, the newest secret's signature first.

    ValueError if no secret holds then: nothing is sent unsigned.
    """
    valid = sorted((one for one in secrets if one.holds_at(moment)), key=lambda one: one.not_before, reverse=True)
    if not valid:
        raise ValueError("no secret holds at this time: rotate the endpoint's secret, or remove the endpoint")
    timestamp_s = int(moment.timestamp())
    signatures = [sign(key_of(one.text), message_id, timestamp_s, body) for one in valid]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(signatures),
    }


def is_genuine(secret: str, received: Mapping[str, str], body: bytes, *, now: datetime) -> bool:
    """Whether a receiver with that secret should believe the message: signed with it, and within five minutes of now.

    Header names are looked up in lower case. Never raises for what a stranger sent.
    """
    message_id, stamp = received.get("webhook-id", ""), received.get("webhook-timestamp", "")
    if not _ID.fullmatch(message_id) or not re.fullmatch(r"[0-9]{1,12}", stamp):
        return False
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        return False
    expected = sign(key_of(secret), message_id, int(stamp), body).encode()
    given = received.get("webhook-signature", "").encode(errors="replace").split(b" ")
    return any(hmac.compare_digest(expected, one) for one in given)
