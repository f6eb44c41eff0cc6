"""The chain of the audit log: its one form, and that nothing can be changed in it unseen."""

import hashlib
import io
import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.audit.chain import canonical, genesis, hash_of
from explorer.audit.errors import BrokenLog, EntryRefused
from explorer.audit.reading import read_lines
from tests.unit.audit.builders import exported, log_of, verified
from tests.unit.signatures.builders import NOTARY_F1, decision, signed

any_text = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=20)
any_facts = st.dictionaries(
    any_text,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | any_text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)
LOG = log_of({}, {"name": "Zoë\0\ud800"}, {"deep": [{"a": None, "b": True}]}, {"n": 7}, {})
FILE = exported(LOG)


def test_a_log_is_verified_by_python_alone() -> None:
    previous = hashlib.sha256(b"filplus audit log, version 1, network mainnet").hexdigest()
    for line in FILE.decode().splitlines():
        entry = json.loads(line)
        said = entry.pop("hash")
        plain = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        assert (said, entry["previous"]) == (hashlib.sha256(plain.encode()).hexdigest(), previous)
        previous = said


def test_the_form_never_changes() -> None:
    """A log that was written by one release is verified by every later one."""
    assert genesis("mainnet") == "fc2432cd6ed7781970625e848fc085ac8f9da992eee24df61ee5aed372a76a93"
    assert log_of({"é": "\0", "a": [1, True, None]})[0].line() == (
        '{"action":"review.decided","actor":{"id":"f1someone","kind":"notary","name":"Ada"},'
        '"at":"2026-11-23T12:00:00.000001Z","facts":{"a":[1,true,null],"\\u00e9":"\\u0000"},'
        '"hash":"830a7f1ec2fb78b86f155f3ea7c3083ad4fb628b31abd4995c9e5ca3d68be10b",'
        '"previous":"fc2432cd6ed7781970625e848fc085ac8f9da992eee24df61ee5aed372a76a93","seq":1,"subject":"rev_1"}'
    )


@given(st.lists(any_facts, min_size=1, max_size=5))
def test_every_log_comes_back_as_it_was_written(facts: list[dict[str, Any]]) -> None:
    log = log_of(*facts)
    assert list(read_lines(io.BytesIO(exported(log)))) == log
    report = verified(exported(log))
    assert (report.network, report.entries, report.first) == ("mainnet", len(log), 1)
    assert report.head is not None
    assert (report.head.seq, report.head.hash) == (len(log), log[-1].hash)


@pytest.mark.parametrize("bad", [1.0, float("nan"), 2**53, -(2**53), b"bytes", {1: 2}, {"set": {1}}, object()])
def test_facts_are_texts_and_whole_numbers(bad: object) -> None:
    with pytest.raises(EntryRefused):
        canonical({"fact": bad})


def test_facts_are_neither_deep_nor_endless() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(EntryRefused):
        canonical({"deep": deep})
    with pytest.raises(EntryRefused):
        canonical({"long": "x" * (1 << 20)})


def test_every_bit_of_a_file_counts() -> None:
    for place in range(len(FILE)):
        for bit in range(8):
            changed = bytearray(FILE)
            changed[place] ^= 1 << bit
            with pytest.raises(BrokenLog) as caught:
                verified(bytes(changed))
            line = FILE.count(b"\n", 0, place) + 1
            # Which entry is the first of a file, only the file says.
            assert line == 1 or caught.value.seq in {line, line + 1}, (place, bit, caught.value)


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.sampled_from(["remove", "insert", "swap", "copy", "cut"]))
def test_no_line_can_be_moved(seed: int, how: str) -> None:
    random, lines = Random(seed), FILE.splitlines(keepends=True)
    at = random.randrange(len(lines) - 1)
    other = exported(log_of({"other": seed}, {}, {}, {}, {}, {})).splitlines(keepends=True)
    match how:
        case "remove":
            del lines[at]
        case "insert":
            lines.insert(at, other[at])
        case "swap":
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
        case "copy":
            lines.insert(at, lines[at])
        case "cut":
            lines[-1] = lines[-1][: random.randrange(1, len(lines[-1]))]
    if how == "remove" and at == 0:
        # What is left is a log's later part, and is said to be one.
        assert verified(b"".join(lines)).network is None
        return
    with pytest.raises(BrokenLog):
        verified(b"".join(lines))


def test_what_was_cut_off_at_the_end_is_seen_with_the_noted_head() -> None:
    cut = exported(LOG[:3])
    assert verified(cut).entries == 3
    assert verified(cut, noted=LOG[2].hash).entries == 3
    assert verified(FILE, noted=LOG[2].hash).entries == 5
    with pytest.raises(BrokenLog, match="cut off") as caught:
        verified(cut, noted=LOG[4].hash)
    assert caught.value.seq == 4


def test_a_log_written_anew_is_seen_with_the_noted_head() -> None:
    anew = exported(log_of({}, {"name": "Bob"}, {}, {}, {}))
    assert verified(anew).entries == 5
    with pytest.raises(BrokenLog):
        verified(anew, noted=LOG[1].hash)


def test_a_log_of_no_known_network_is_refused() -> None:
    with pytest.raises(BrokenLog, match="known network"):
        verified(exported(log_of({}, network="elsewhere")))
    assert verified(exported(log_of({}, network="calibration"))).network == "calibration"


@pytest.mark.parametrize(
    "file", [b"x\n", b"[]\n", b"1\n", b'{"seq":1}\n', b"\xff\n", b"[" * 100_000 + b"\n", b"{}" * 10_000_000]
)
def test_what_is_no_log_is_said_to_be_none(file: bytes) -> None:
    with pytest.raises(BrokenLog):
        verified(file)


def _decided(**changes: Any) -> dict[str, Any]:
    message, signature = signed(decision())
    return {"decision": "approve", "message": message, "signature": signature} | changes


def _log_with(facts: dict[str, Any], *, actor_id: str = str(NOTARY_F1)) -> bytes:
    entry = replace(log_of(facts)[0], actor_id=actor_id)
    return exported([replace(entry, hash=hash_of(entry))])


def test_kept_signatures_are_verified() -> None:
    assert verified(_log_with(_decided())).signatures == 1
    assert verified(_log_with({"decision": "ask", "message": None, "signature": None})).signatures == 0
    assert verified(_log_with({"proof": _decided()})).signatures == 1


@pytest.mark.parametrize("changes", [{"decision": "reject"}, {"signature": "00" * 66}, {"message": "nothing of ours"}])
def test_a_kept_signature_that_does_not_hold_breaks_the_log(changes: dict[str, Any]) -> None:
    """Though the hashes are right: whoever can write the log anew has no notary's key."""
    forged = _log_with(_decided(**changes))
    with pytest.raises(BrokenLog, match="signature"):
        verified(forged)
    assert verified(forged, signatures=False).signatures is None


def test_a_kept_signature_is_the_actors() -> None:
    with pytest.raises(BrokenLog, match="signature"):
        verified(_log_with(_decided(), actor_id="f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"))
    with pytest.raises(BrokenLog, match="another notary"):
        verified(_log_with(_decided(notary="f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za")))
