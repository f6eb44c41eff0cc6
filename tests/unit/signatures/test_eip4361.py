"""EIP-4361 messages against the published vectors and the message's own grammar."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.signatures.eip4361 import MAX_CHARS, SignInMessage, build_message, message_time, parse_message
from explorer.signatures.errors import ForgedSignature, MalformedText, WrongKey
from explorer.signatures.ethereum import checksummed, eth_address
from explorer.signatures.uri import host_of, is_authority, is_path_text, is_scheme, is_statement, is_uri
from explorer.signatures.verify import verify_signature
from node.address import Address

VECTORS = json.loads((Path(__file__).parent / "vectors" / "siwe.json").read_text())
# The example of EIP-4361 itself.
EXAMPLE = (
    "example.com:3388 wants you to sign in with your Ethereum account:\n"
    "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n\n"
    "I accept the ExampleOrg Terms of Service: https://example.com/tos\n\n"
    "URI: https://example.com/login\nVersion: 1\nChain ID: 1\nNonce: 32891756\nIssued At: 2021-09-30T16:25:24Z\n"
    "Resources:\n- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/\n"
    "- https://example.com/my-web2-claim.json"
)
RULES = {
    "scheme": is_scheme,
    "statement": is_statement,
    "userinfo": lambda text: is_authority(f"{text}@h") and host_of(f"{text}@h") == "h",
    "IPvFuture": lambda text: is_authority(f"[{text}]"),
    "reg-name": lambda text: host_of(text) == text,
    "segment-nz": is_path_text,
    "fragment": lambda text: is_uri(f"a:#{text}"),
}
FIELDS = {
    "chainId": "chain_id",
    "issuedAt": "issued_at",
    "expirationTime": "expiration_time",
    "notBefore": "not_before",
    "requestId": "request_id",
}


def cases(name: str) -> list[Any]:
    return [pytest.param(value, id=key) for key, value in VECTORS[name].items()]


def message_of(fields: dict[str, Any]) -> SignInMessage:
    """The message of a vector's fields; KeyError or TypeError where one that must be there isn't."""
    kept = {FIELDS.get(name, name): value for name, value in fields.items() if name not in {"signature", "time"}}
    if kept.pop("version") != "1":
        raise ValueError("there is no such version")
    kept["chain_id"] = int(kept["chain_id"])
    if "resources" in kept:
        kept["resources"] = tuple(kept["resources"])
    return SignInMessage(**kept)


def signer_of(fields: dict[str, Any]) -> Address:
    return eth_address(bytes.fromhex(fields["address"][2:]))


@pytest.mark.parametrize("case", cases("parsing_positive"))
def test_a_published_message_is_read_and_written_as_it_was(case: dict[str, Any]) -> None:
    found = parse_message(case["message"])
    assert found == message_of(case["fields"])
    assert build_message(found) == case["message"]


@pytest.mark.parametrize("case", [*cases("parsing_negative"), *cases("invalid_uris")])
def test_a_published_malformed_message_is_refused_with_its_line(case: str) -> None:
    with pytest.raises(MalformedText, match=r"^line \d+: "):
        parse_message(case)


@pytest.mark.parametrize("case", cases("parsing_negative_objects"))
def test_published_fields_that_are_none_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises((MalformedText, KeyError, TypeError, ValueError)):
        build_message(message_of(case))


@pytest.mark.parametrize("case", cases("message_objects"))
def test_published_fields_make_a_message_or_not(case: dict[str, Any]) -> None:
    message = message_of(case["msg"])
    if case["error"] == "none":
        assert parse_message(build_message(message)) == message
    else:
        with pytest.raises(MalformedText):
            build_message(message)


@pytest.mark.parametrize("case", cases("verification_positive"))
def test_a_published_signature_holds(case: dict[str, Any]) -> None:
    verify_signature(build_message(message_of(case)), case["signature"], signer=signer_of(case))


@pytest.mark.parametrize("case", cases("verification_negative"))
def test_a_published_wrong_signature_or_message_is_refused(case: dict[str, Any]) -> None:
    try:
        text = build_message(message_of(case))
    except MalformedText:
        return
    with pytest.raises((ForgedSignature, WrongKey)):
        verify_signature(text, case["signature"], signer=signer_of(case))


@pytest.mark.parametrize(("rule", "text"), VECTORS["valid_chars"].items())
def test_every_character_of_a_rule_is_taken(rule: str, text: str) -> None:
    assert RULES[rule](text)


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, one) for rule, all_ in VECTORS["invalid_chars"].items() for one in all_]
)
def test_a_character_beyond_a_rule_is_refused(rule: str, text: str) -> None:
    assert not RULES[rule](text)


def test_the_example_of_the_standard() -> None:
    found = parse_message(EXAMPLE)
    assert (found.domain, found.nonce, len(found.resources or ())) == ("example.com:3388", "32891756", 2)
    assert parse_message("https://" + EXAMPLE).scheme == "https"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("example.com:3388 wants", " wants", 1),
        ("example.com:3388 wants", "user@ wants", 1),
        ("example.com:3388 wants", "1https://example.com wants", 1),
        ("0xC02aaA", "0xc02aaA", 2),
        ("0xC02aaA", "0XC02aaA", 2),
        ("Cc2\n\n", "Cc2\n", 3),
        ("I accept", "I \u201caccept\u201d", 4),
        ("I accept", "I accept\r", 4),
        ("tos\n\n", "tos\n", 5),
        ("URI: ", "Uri: ", 6),
        ("Version: 1", "Version: 01", 7),
        ("Chain ID: 1", "Chain ID: 0001", 8),
        ("Chain ID: 1", "Chain ID: \u0661", 8),
        ("Nonce: 32891756", "Nonce: 3289175", 9),
        ("Nonce: 32891756", "Nonce: 3289175\u0666", 9),
        ("24Z", "24", 10),
        ("24Z", "60Z", 10),
        ("2021-09-30", "0000-09-30", 10),
        ("24Z", "24Z\nNot Before: x", 11),
        ("24Z", "24Z\nRequest ID: a b", 11),
        ("24Z", "24Z\nNot Before: 2021-09-30T16:25:24Z\nExpiration Time: 2021-09-30T16:25:24Z", 12),
        ("24Z", "24Z\n", 11),
        ("Resources:", "Resources: ", 11),
        ("- ipfs", "-ipfs", 12),
        ("claim.json", "claim.json\n", 14),
        ("claim.json", "claim.json\nRequest ID: 1", 14),
        ("claim.json", "claim%zz", 13),
    ],
)
def test_a_malformed_line_is_named(old: str, new: str, line: int) -> None:
    assert old in EXAMPLE
    with pytest.raises(MalformedText) as refused:
        parse_message(EXAMPLE.replace(old, new, 1))
    assert refused.value.line == line


def test_what_is_there_and_empty_is_not_what_is_missing() -> None:
    bare = message_of(VECTORS["parsing_positive"]["no statement"]["fields"])
    kinds = [
        bare,
        *(parse_message(text) for text in (build_message(bare).replace("\n\n\nURI", "\n\n\n\nURI"),)),
        parse_message(build_message(bare) + "\nRequest ID: "),
        parse_message(build_message(bare) + "\nResources:"),
    ]
    assert (kinds[1].statement, kinds[2].request_id, kinds[3].resources) == ("", "", ())
    assert len({build_message(kind) for kind in kinds}) == len(kinds)


def test_an_endless_text_is_refused_at_once() -> None:
    with pytest.raises(MalformedText, match="at most"):
        parse_message(EXAMPLE + "\n- a:" * MAX_CHARS)


@pytest.mark.parametrize("text", ["2021-09-30T16:25:24.123456789z", "2021-09-30t18:25:24.123456+02:00"])
def test_a_time_names_a_moment(text: str) -> None:
    assert message_time(text).isoformat() == "2021-09-30T16:25:24.123456+00:00"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2021-09-30T24:00:00Z", ""])
def test_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        message_time(text)


_pchars = st.text("abcXYZ019-._~!$&'()*+,;=:@", max_size=20)
_uris = st.builds("{}:{}".format, st.sampled_from(["https", "filplus", "a+b"]), _pchars)
_times = st.datetimes().map(lambda time: time.isoformat() + "Z")
messages = st.builds(
    SignInMessage,
    domain=st.sampled_from(["a", "a.b:1", "u@[::1]:80", "[v1.x]", "127.0.0.1", "%41"]),
    address=st.binary(min_size=20, max_size=20).map(checksummed),
    uri=_uris,
    chain_id=st.integers(0, 2**255),
    nonce=st.from_regex(r"\A[A-Za-z0-9]{8,20}\Z"),
    issued_at=_times,
    scheme=st.none() | st.sampled_from(["https", "x-1"]),
    statement=st.none() | st.text("abc :/?#[]@!$&'()*+,;=-._~", max_size=30),
    expiration_time=st.none() | _times,
    not_before=st.none() | _times,
    request_id=st.none() | _pchars,
    resources=st.none() | st.lists(_uris, max_size=3).map(tuple),
)


@given(messages)
def test_every_message_comes_back(message: SignInMessage) -> None:
    assert parse_message(build_message(message)) == message


@given(messages, messages)
def test_different_messages_have_different_texts(one: SignInMessage, other: SignInMessage) -> None:
    assert (build_message(one) == build_message(other)) == (one == other)


@given(messages, st.data())
def test_a_text_that_is_taken_is_the_one_that_its_fields_make(message: SignInMessage, data: st.DataObject) -> None:
    text = build_message(message)
    at = data.draw(st.integers(0, len(text)))
    changed = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 3)) :]
    try:
        found = parse_message(changed)
    except MalformedText:
        return
    assert build_message(found) == changed


@given(
    messages, st.sampled_from(["domain", "uri", "nonce", "issued_at", "statement", "request_id"]), st.text(max_size=5)
)
def test_no_field_smuggles_a_line(message: SignInMessage, field: str, tail: str) -> None:
    fields = {name: getattr(message, name) for name in message.__slots__}
    with pytest.raises(MalformedText):
        build_message(SignInMessage(**fields | {field: f"{fields[field] or ''}\n{tail}"}))
