"""HTTP message signatures (RFC 9421) by Ed25519, in the one profile that this product takes.

    Content-Digest: sha-256=:…:                                                    where there is a body (RFC 9530)
    Signature-Input: sig=("@method" "@target-uri" "content-digest");created=…;keyid="…";nonce="…"
    Signature: sig=:…:

One signature a request. It covers the method, the whole address and the body, so that it is good for no other request;
it says when it was made, and is good for five minutes. What the RFC allows beyond that is refused by name.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from Crypto.Signature import eddsa

from explorer.signatures.errors import ForgedRequest, MalformedField, RequestRefused, StaleRequest
from explorer.signatures.structured_fields import InnerList, parse_dictionary, serialize, serialize_item

TOLERANCE: Final = timedelta(minutes=5)
ALGORITHM: Final = "ed25519"
_SIGNATURE_BYTES: Final = 64
_PARAMETERS: Final[Mapping[str, type]] = {
    "created": int,
    "expires": int,
    "nonce": str,
    "alg": str,
    "keyid": str,
    "tag": str,
}
_DIGESTS: Final = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
_LONGEST_TEXT: Final = 256


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it is signed. `scheme`, `authority` and `path` are those of its public address.

    `query` begins with its question mark, and is empty where there is none. `fields` are the headers by name in lower
    case, each with its values in their order.
    """

    method: str
    scheme: str
    authority: str
    path: str
    query: str
    fields: Mapping[str, Sequence[str]]
    has_body: bool

    @property
    def target_uri(self) -> str:
        """The whole address."""
        return f"{self.scheme}://{self.authority}{self.path}{self.query}"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A signature that is well formed, covers what it must, and is in time. By whom it is, `demand_signed_by` says."""

    key_id: str
    base: bytes
    signature: bytes

    def demand_signed_by(self, public_key: bytes) -> None:
        """ForgedRequest where the Ed25519 key of those 32 bytes did not sign this."""
        try:
            eddsa.new(eddsa.import_public_key(public_key), "rfc8032").verify(self.base, self.signature)
        except ValueError as error:
            raise ForgedRequest("the signature is not by that key over this request") from error

    def digest(self) -> bytes:
        """32 bytes that only this request has, signed by this key: by them it is taken once."""
        return hashlib.sha256(self.key_id.encode() + b"\0" + self.base).digest()


def read_signature(message: Message, *, now: datetime) -> SignedRequest:
    """The request's one signature. MalformedField, RequestRefused, StaleRequest."""
    label, covered = _single_input(message)
    signature = _dictionary(message, "signature").get(label)
    if not isinstance(signature, bytes) or len(signature) != _SIGNATURE_BYTES:
        raise MalformedField(f"Signature has no {_SIGNATURE_BYTES} bytes under the name {label} of Signature-Input")
    parameters = dict(covered.parameters)
    _demand_parameters(parameters)
    _demand_in_time(parameters, now)
    base = signature_base(message, covered)
    _demand_covered({item.value for item in covered.items}, message)
    return SignedRequest(str(parameters["keyid"]), base, signature)


def signature_base(message: Message, covered: InnerList) -> bytes:
    """What is signed (RFC 9421 §2.5). RequestRefused for a component that comes twice, isn't there, or isn't taken."""
    names = [item.value for item in covered.items]
    if len(set(names)) != len(names):
        raise RequestRefused("a component is covered twice")
    lines = []
    for item in covered.items:
        if item.parameters:
            raise RequestRefused(f"{item.value} is covered with parameters; none are taken")
        lines.append(f"{serialize_item(item)}: {_component(message, item.value)}")
    lines.append(f'"@signature-params": {serialize(covered)}')
    try:
        return "\n".join(lines).encode("ascii")
    except UnicodeEncodeError as error:
        raise RequestRefused("something that is covered is not ASCII: encode it") from error


def demand_digest(fields: Sequence[str], body: bytes) -> None:
    """Returns where Content-Digest (RFC 9530) is that of the body. MalformedField, ForgedRequest.

    Every digest of a known kind must be right, and there must be one: sha-256 or sha-512.
    """
    given = {name: value for name, value in parse_dictionary(", ".join(fields)).items() if name in _DIGESTS}
    if not given:
        raise RequestRefused(f"Content-Digest has none of {', '.join(_DIGESTS)}")
    for name, value in given.items():
        if not isinstance(value, bytes) or not hmac.compare_digest(_DIGESTS[name](body).digest(), value):
            raise ForgedRequest(f"Content-Digest: the {name} is not that of the body")


def _single_input(message: Message) -> tuple[str, InnerList]:
    found = _dictionary(message, "signature-input")
    if len(found) != 1:
        raise RequestRefused(f"Signature-Input names {len(found)} signatures; send one")
    (label, covered), *_ = found.items()
    if not isinstance(covered, InnerList):
        raise MalformedField("Signature-Input: a list of components in parentheses is due")
    return label, covered


def _dictionary(message: Message, name: str) -> Mapping[str, InnerList | bytes]:
    return parse_dictionary(", ".join(message.fields.get(name, ())))


def _demand_parameters(parameters: Mapping[str, object]) -> None:
    for name, value in parameters.items():
        expected = _PARAMETERS.get(name)
        if expected is None:
            raise RequestRefused(f"the parameter {name} isn't taken")
        if type(value) is not expected or (isinstance(value, str) and not 0 < len(value) <= _LONGEST_TEXT):
            raise RequestRefused(f"the parameter {name} has a value that can't be taken")
    missing = [name for name in ("created", "keyid") if name not in parameters]
    if missing:
        raise RequestRefused(f"the parameter {missing[0]} is missing")
    if parameters.get("alg", ALGORITHM) != ALGORITHM:
        raise RequestRefused(f"alg is {parameters['alg']}; signatures are by {ALGORITHM}")


def _demand_in_time(parameters: Mapping[str, object], now: datetime) -> None:
    now_s, created_s, expires_s = now.timestamp(), parameters["created"], parameters.get("expires")
    if not isinstance(created_s, int) or abs(now_s - created_s) > TOLERANCE.total_seconds():
        raise StaleRequest(
            f"created is {created_s}, here it is {int(now_s)}: more than {TOLERANCE.total_seconds():.0f} s apart"
        )
    if isinstance(expires_s, int) and expires_s <= now_s:
        raise StaleRequest(f"expires is {expires_s}, here it is {int(now_s)}")


def _demand_covered(names: set[str], message: Message) -> None:
    """The method, the whole address with its host (else it could be sent to another explorer), and the body."""
    due = {"@method"}
    if "@target-uri" not in names:
        due |= {"@authority", "@path"} | ({"@query"} if message.query else set())
    if message.has_body:
        due.add("content-digest")
    missing = sorted(due - names)
    if missing:
        raise RequestRefused(f"{missing[0]} is not covered (the address may be covered as @target-uri)")


_DERIVED: Final[Mapping[str, Callable[[Message], str]]] = {
    "@method": lambda message: message.method,
    "@target-uri": lambda message: message.target_uri,
    "@authority": lambda message: message.authority,
    "@scheme": lambda message: message.scheme,
    "@path": lambda message: message.path,
    "@query": lambda message: message.query or "?",
    "@request-target": lambda message: message.path + message.query,
}


def _component(message: Message, name: str) -> str:
    """A component's value: what is derived from the request's first line, or a header."""
    if name in _DERIVED:
        return _DERIVED[name](message)
    values = message.fields.get(name)
    if values is None:
        raise RequestRefused(f"{name} is covered, which this request doesn't have")
    return ", ".join(value.strip(" \t") for value in values)
