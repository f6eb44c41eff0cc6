"""Signed requests, against RFC 9421's and RFC 9530's own examples, another library's, and every change to them."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from hypothesis import given
from hypothesis import strategies as st

from explorer.signatures.errors import (
    ForgedRequest,
    MalformedField,
    RequestRefused,
    SignedRequestError,
    StaleRequest,
)
from explorer.signatures.http_messages import (
    Message,
    SignedRequest,
    demand_digest,
    read_signature,
    signature_base,
)
from explorer.signatures.structured_fields import InnerList, parse_dictionary, serialize

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
ORACLE: Mapping[str, Any] = json.loads((Path(__file__).parent / "vectors" / "http_messages.json").read_text())
SECRET = eddsa.import_private_key(hashlib.sha256(b"a key for tests").digest())
PUBLIC: bytes = SECRET.public_key().export_key(format="raw")
BODY = b'{"job_id":"j"}'
DIGEST = f"sha-256=:{base64.b64encode(hashlib.sha256(BODY).digest()).decode()}:"
COVERED = '("@method" "@target-uri" "content-digest")'
PARAMETERS = f';created={int(NOW.timestamp())};keyid="k";nonce="n"'


def message(**changes: Any) -> Message:
    """A POST with a body, not yet signed."""
    fields = {"content-digest": [DIGEST], "content-type": ["application/json"], "x-empty": [""], "x-two": ["a", " b "]}
    usual = Message("POST", "https", "filplus.example", "/reviews", "?a=1", fields, has_body=True)
    return replace(usual, **changes)


def signed(unsigned: Message, signature_input: str, secret: ECC.EccKey = SECRET) -> Message:
    """The message with a signature over what the input names, whatever that is."""
    covered = parse_dictionary(f"sig={signature_input}")["sig"]
    assert isinstance(covered, InnerList)
    signature = base64.b64encode(eddsa.new(secret, "rfc8032").sign(signature_base(unsigned, covered))).decode()
    return with_fields(unsigned, **{"signature-input": f"sig={signature_input}", "signature": f"sig=:{signature}:"})


def with_fields(one: Message, **fields: str) -> Message:
    return replace(one, fields={**one.fields, **{name: [value] for name, value in fields.items()}})


def taken(one: Message, *, now: datetime = NOW, public_key: bytes = PUBLIC) -> SignedRequest:
    """The signature, all of it verified."""
    found = read_signature(one, now=now)
    found.demand_signed_by(public_key)
    return found


def test_rfc_9421_b_2_6() -> None:
    fields = {
        "date": ["Tue, 20 Apr 2021 02:07:55 GMT"],
        "content-type": ["application/json"],
        "content-length": ["18"],
    }
    request = Message("POST", "https", "example.com", "/foo", "?param=Value&Pet=dog", fields, has_body=True)
    text = '("date" "@method" "@path" "@authority" "content-type" "content-length")'
    covered = parse_dictionary(f'sig-b26={text};created=1618884473;keyid="test-key-ed25519"')["sig-b26"]
    assert isinstance(covered, InnerList)
    base = signature_base(request, covered)
    assert base.decode() == (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@method": POST\n"@path": /foo\n"@authority": example.com\n'
        '"content-type": application/json\n"content-length": 18\n'
        f'"@signature-params": {text};created=1618884473;keyid="test-key-ed25519"'
    )
    key = base64.urlsafe_b64decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs=")
    signature = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    SignedRequest("test-key-ed25519", base, base64.b64decode(signature)).demand_signed_by(key)
    with pytest.raises(ForgedRequest):
        SignedRequest("test-key-ed25519", base + b" ", base64.b64decode(signature)).demand_signed_by(key)


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", b'{"hello": "world"}\n'),
        ("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", b'{"hello": "world"}'),
        (
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
            b'{"hello": "world"}',
        ),
        ("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", b""),
    ],
)
def test_rfc_9530_digests(field: str, body: bytes) -> None:
    demand_digest([field], body)
    with pytest.raises(ForgedRequest):
        demand_digest([field], body + b"x")


def test_every_digest_of_a_known_kind_must_be_right() -> None:
    right = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    body = b'{"hello": "world"}'
    demand_digest([right, "unixsum=:AAAA:"], body)
    for field in (f"{right}, sha-512=:AAAA:", "sha-512=:AAAA:"):
        with pytest.raises(ForgedRequest):
            demand_digest([field], body)
    for field in ("md5=:AAAA:", "sha-256", "sha-256=1", ""):
        with pytest.raises((RequestRefused, MalformedField)):
            demand_digest([field], body)


@pytest.mark.parametrize("request_", ORACLE["requests"], ids=lambda one: one["url"])
def test_another_librarys_requests_are_taken(request_: Mapping[str, Any]) -> None:
    url, body = urlsplit(request_["url"]), (request_["body"] or "").encode()
    fields = {name: [value] for name, value in request_["headers"].items()}
    query = f"?{url.query}" if url.query else ""
    one = Message(request_["method"], url.scheme, url.netloc, url.path, query, fields, has_body=bool(body))
    key = bytes.fromhex(ORACLE["public_key"])
    taken(one, now=datetime.fromtimestamp(1795413600, UTC), public_key=key)
    if body:
        demand_digest(fields["content-digest"], body)
    for other in (replace(one, method="PUT"), replace(one, path=one.path + "/"), replace(one, query="?z")):
        with pytest.raises((ForgedRequest, RequestRefused)):
            taken(other, now=datetime.fromtimestamp(1795413600, UTC), public_key=key)


def test_the_whole_address_may_be_covered_in_parts() -> None:
    taken(signed(message(), COVERED + PARAMETERS))
    taken(signed(message(), '("content-digest" "@query" "@path" "@authority" "@method")' + PARAMETERS))
    taken(signed(message(query=""), '("content-digest" "@path" "@authority" "@method")' + PARAMETERS))
    taken(signed(message(has_body=False), '("@method" "@target-uri" "@scheme" "@request-target")' + PARAMETERS))
    taken(signed(message(), '("@method" "@target-uri" "content-digest" "x-empty" "x-two")' + PARAMETERS))


@pytest.mark.parametrize(
    "covered",
    [
        "()",
        '("@method")',
        '("@target-uri" "content-digest")',
        '("@method" "@target-uri")',
        '("@method" "@path" "@query" "content-digest")',
        '("@method" "@authority" "@path" "content-digest")',
        '("@method" "@authority" "@query" "content-digest")',
    ],
)
def test_what_must_be_covered_is(covered: str) -> None:
    """Without the host, a request could be sent on to another explorer that knows the same key."""
    with pytest.raises(RequestRefused, match="is not covered"):
        taken(signed(message(), covered + PARAMETERS))


def test_a_body_or_query_that_comes_later_must_be_covered() -> None:
    for later in ({"has_body": True}, {"query": "?admin=1"}):
        one = signed(message(has_body=False, query=""), '("@method" "@authority" "@path")' + PARAMETERS)
        taken(one)
        with pytest.raises(RequestRefused, match="is not covered"):
            taken(replace(one, **later))


@pytest.mark.parametrize(
    "covered",
    [
        '("@method" "@method" "@target-uri" "content-digest")',
        '("@method" "@target-uri" "content-digest" "not-there")',
        '("@method" "@target-uri" "content-digest" "@query-param";name="a")',
        '("@method" "@target-uri" "content-digest";sf)',
        '("@method" "@target-uri" "content-digest" "@status")',
        '("@method" "@target-uri" "content-digest" "@signature-params")',
        '("@method" "@target-uri" "Content-Digest")',
    ],
)
def test_components_that_are_not_taken(covered: str) -> None:
    one = with_fields(
        message(), **{"signature-input": f"sig={covered}{PARAMETERS}", "signature": f"sig=:{'A' * 86}==:"}
    )
    with pytest.raises(RequestRefused):
        taken(one)


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        ';keyid="k"',
        f";created={int(NOW.timestamp())}",
        f';created="{int(NOW.timestamp())}";keyid="k"',
        f";created={int(NOW.timestamp())};keyid=7",
        f';created={int(NOW.timestamp())};keyid=""',
        f';created={int(NOW.timestamp())};keyid="{"k" * 257}"',
        f';created={int(NOW.timestamp())};keyid="k";alg="hmac-sha256"',
        f';created={int(NOW.timestamp())};keyid="k";alg="rsa-pss-sha512"',
        f';created={int(NOW.timestamp())};keyid="k";other=1',
        f';created={int(NOW.timestamp())};keyid="k";nonce',
        ';created;keyid="k"',
    ],
)
def test_parameters_that_are_not_taken(parameters: str) -> None:
    with pytest.raises(RequestRefused):
        taken(signed(message(), COVERED + parameters))


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_a_request_is_good_for_five_minutes(seconds: int, good: bool) -> None:
    one = signed(message(), COVERED + PARAMETERS)
    now = NOW + timedelta(seconds=seconds)
    if good:
        taken(one, now=now)
    else:
        with pytest.raises(StaleRequest):
            taken(one, now=now)


@pytest.mark.parametrize("created", ["999999999999999", "-999999999999999", "0"])
def test_absurd_times_are_stale(created: str) -> None:
    with pytest.raises(StaleRequest):
        taken(signed(message(), f'{COVERED};created={created};keyid="k"'))


def test_what_expires_is_expired() -> None:
    late = signed(message(), f"{COVERED}{PARAMETERS};expires={int(NOW.timestamp()) + 10}")
    taken(late)
    with pytest.raises(StaleRequest):
        taken(late, now=NOW + timedelta(seconds=10))


CHANGES: Mapping[str, Callable[[Message], Message]] = {
    "method": lambda one: replace(one, method="PUT"),
    "scheme": lambda one: replace(one, scheme="http"),
    "host": lambda one: replace(one, authority="calibration.filplus.example"),
    "path": lambda one: replace(one, path="/review"),
    "query": lambda one: replace(one, query="?a=2"),
    "digest": lambda one: with_fields(one, **{"content-digest": "sha-256=:AAAA:"}),
    "digest twice": lambda one: replace(one, fields={**one.fields, "content-digest": [DIGEST, DIGEST]}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_request_is_forged(change: str) -> None:
    with pytest.raises(ForgedRequest):
        taken(CHANGES[change](signed(message(), COVERED + PARAMETERS)))


@given(bit=st.integers(0, 64 * 8 - 1))
def test_no_bit_of_the_signature_may_differ(bit: int) -> None:
    found = read_signature(GOOD, now=NOW)
    raw = bytearray(found.signature)
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ForgedRequest):
        replace(found, signature=bytes(raw)).demand_signed_by(PUBLIC)


GOOD = signed(message(), COVERED + PARAMETERS)


def test_another_key_is_another_signer() -> None:
    other = ECC.generate(curve="Ed25519").public_key().export_key(format="raw")
    for key in (other, bytes(32), b"\xff" * 32):
        with pytest.raises(ForgedRequest):
            taken(GOOD, public_key=key)


def test_one_signature_a_request() -> None:
    (given_input,), (given_signature,) = GOOD.fields["signature-input"], GOOD.fields["signature"]
    twice = with_fields(GOOD, **{"signature-input": f"{given_input}, b={given_input.removeprefix('sig=')}"})
    with pytest.raises(RequestRefused, match="2 signatures"):
        taken(twice)
    with pytest.raises(MalformedField):
        taken(with_fields(GOOD, signature=given_signature.replace("sig=", "other=")))
    with pytest.raises(MalformedField):
        taken(replace(GOOD, fields={**GOOD.fields, "signature-input": [given_input, given_input]}))


def test_what_was_signed_tells_requests_apart_and_the_signature_does_not() -> None:
    first, again = taken(GOOD), taken(signed(message(), COVERED + PARAMETERS))
    other = taken(signed(message(), COVERED + PARAMETERS.replace('"n"', '"m"')))
    assert first.digest() == again.digest() == replace(first, signature=bytes(64)).digest()
    assert len({first.digest(), other.digest(), replace(first, key_id="l").digest()}) == 3


@pytest.mark.parametrize("name", ["authority", "path", "query"])
def test_what_is_not_ascii_is_refused(name: str) -> None:
    with pytest.raises(RequestRefused, match="ASCII"):
        signed(message(**{name: "/é"}), COVERED + PARAMETERS)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_in_the_headers_is_refused_in_peace(first: str, second: str) -> None:
    with pytest.raises(SignedRequestError):
        taken(with_fields(message(), **{"signature-input": first, "signature": second}))


_VALUE = r'("[ -~]{0,3}"|-?[0-9]{1,16}|\?[012]|:[A-Za-z=]{0,5}:)'
FIELD = st.from_regex(
    rf'\Asig=\(( *"[a-z@\-]{{0,6}}"(;[a-z]{{1,3}}(={_VALUE})?)?){{0,3}} *\)(;[a-z]{{1,7}}=[0-9]{{1,3}})*\Z'
)


@given(FIELD)
def test_what_is_read_is_written_in_one_spelling(text: str) -> None:
    try:
        found = parse_dictionary(text)["sig"]
    except MalformedField:
        return
    assert isinstance(found, InnerList)
    written = serialize(found)
    assert parse_dictionary(f"sig={written}") == {"sig": found}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a=",
        "a=1",
        "a=()x",
        'a=("b""c")',
        'a=("b)',
        "a=(b)",
        "a=:A:",
        "a=:AA A:",
        "a=:AA",
        "a=(),",
        "a=(),,b=()",
        "a=(), a=()",
        'a=("\\n")',
        'a=("é")',
        "A=()",
        "a=();b=1.5",
        "a=();b=1;b=2",
        "a=();b=1234567890123456",
        "a =()",
        "a=()\n",
        "a=(" + '"b" ' * 3000 + ")",
    ],
)
def test_no_structured_field(text: str) -> None:
    with pytest.raises(MalformedField):
        parse_dictionary(text)
