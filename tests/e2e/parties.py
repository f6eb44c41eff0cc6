"""Those who meet over a review, each with tools that aren't ours: a cluster, signers, a receiver of alerts."""

import hashlib
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.error import HTTPError

from coincurve import PrivateKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.patience import PATIENCE_S
from tests.unit.signatures.oracles import personal_sign


@dataclass(frozen=True)
class Answer:
    """What an HTTP client got."""

    status: int
    document: Any


def ask(url: str, body: Any = None, *, key: str | None = None) -> Answer:
    """One request as any program would send it: a POST where there is a body."""
    headers = {"Content-Type": "application/json"} | ({} if key is None else {"Authorization": f"Bearer {key}"})
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=PATIENCE_S) as got:
            return Answer(got.status, json.loads(got.read()))
    except HTTPError as error:
        with error:
            return Answer(error.code, json.loads(error.read()))


def f1_sign(secret: bytes, text: str) -> str:
    """A text signed by an f1 key, by coincurve alone, as FRC-0102 says."""
    enveloped = b"\x19Filecoin Signed Message:\n%d%s" % (len(text), text.encode("ascii"))
    digest = hashlib.blake2b(enveloped, digest_size=32).digest()
    return "01" + PrivateKey(secret).sign_recoverable(digest, hasher=None).hex()


def eth_sign(secret: bytes, text: str) -> str:
    """A text signed by a 0x key, by eth-account."""
    return "0x" + personal_sign(secret, text).hex()


@dataclass
class Receiver:
    """Notes the alerts that the library standardwebhooks finds genuine, and counts the others."""

    url: str = ""
    secret: str = ""
    alerts: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """The status to answer with."""
        try:
            self.alerts.append(Webhook(self.secret).verify(body, headers))
        except WebhookVerificationError:
            self.refused += 1
            return 401
        return 204

    def told(self, review_id: str, count: int) -> list[dict[str, Any]]:
        """The first alerts about a review, as soon as there are that many."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = [one for one in self.alerts if one["data"]["id"] == review_id]
            if len(found) >= count:
                return found
            time.sleep(0.05)
        raise AssertionError(f"fewer than {count} alerts about {review_id}: {self.alerts}, {self.refused} refused")


@contextmanager
def answering_http(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server of the standard library, as long as the context lasts."""
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver, whose secret is to be set before alerts come."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.take(body, {name.lower(): text for name, text in self.headers.items()}))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Prints nothing."""

    with answering_http(Handler) as url:
        receiver.url = f"{url}/alerts"
        yield receiver
