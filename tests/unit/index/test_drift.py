"""Where two records differ, which ids were seen, and sums that don't know an order. Pure."""

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from explorer.chores import NIGHT_HOURS, Chore, done, night_minute
from explorer.index.digest import MODULUS, Digest, Sum
from explorer.index.drift import EXAMPLES_MAX, Comparison, Drift, SeenIds, drift_of, is_alive, told_fields
from node.chain.errors import NodeUnreachable
from node.market import Deal
from node.registry import Claim

CLAIM = Claim(
    id=7,
    client_id=100,
    provider_id=1000,
    piece=b"p" * 32,
    data_cid=None,
    size_bytes=2**35,
    term_min_epochs=10,
    term_max_epochs=100,
    term_start_epoch=5,
    sector=3,
)
DEAL = Deal(
    id=8,
    client_id=100,
    provider_id=1000,
    piece=b"p" * 32,
    data_cid=None,
    size_bytes=2**35,
    verified=True,
    label=b"a label",
    label_known=True,
    start_epoch=50,
    end_epoch=500,
    sector_start_epoch=-1,
    last_updated_epoch=-1,
    slash_epoch=-1,
)
WHOLE = {"in_state": True, "since_epoch": 6, "ended_epoch": None}
IDS = st.integers(0, 2**63 - 1)


def fields(kind: Any, record: Any, **changes: Any) -> dict[str, Any]:
    told = told_fields(kind, record, 20)
    assert told is not None
    return {**told, **WHOLE, **changes}


def found(kind: Any, held: Any, told: Any, version: int = 28) -> Drift:
    drift = drift_of(kind, 7, held, told, version)
    assert drift is not None
    return drift


def test_the_same_record_is_no_drift() -> None:
    assert drift_of("claims", 7, fields("claims", CLAIM), fields("claims", CLAIM), 28) is None


def test_neither_side_having_it_is_no_drift() -> None:
    assert drift_of("claims", 7, None, None, 28) is None
    assert drift_of("claims", 7, fields("claims", CLAIM, in_state=False), None, 28) is None


@pytest.mark.parametrize("name", [name for name in Claim.__slots__ if name not in ("id", "data_cid")])
def test_every_field_of_a_claim_is_compared(name: str) -> None:
    other = fields("claims", CLAIM, **{name: getattr(CLAIM, name) * 2})
    drift = found("claims", fields("claims", CLAIM), other)
    assert (drift.what, drift.fields) == ("different", {name: (getattr(CLAIM, name), getattr(CLAIM, name) * 2)})


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (None, "never saw it"),
        ({"in_state": False, "since_epoch": 6, "ended_epoch": 15}, "ended at epoch 15"),
        ({"in_state": False, "since_epoch": 30, "ended_epoch": None}, "first seen at epoch 30"),
    ],
)
def test_a_missing_record_says_what_the_index_knows_of_it(held: Any, reason: str) -> None:
    drift = found("claims", held, fields("claims", CLAIM))
    assert drift.what == "missing"
    assert reason in drift.reason


def test_a_surplus_deal_with_a_sector_is_likely_an_implicit_termination() -> None:
    active = replace(DEAL, sector_start_epoch=10)
    assert "emits no event" in found("deals", fields("deals", active), None).reason
    assert "emits no event" not in found("deals", fields("deals", DEAL), None).reason


def test_a_surplus_allocation_after_the_end_was_likely_cleared() -> None:
    held = {**fields("claims", CLAIM), "expiration_epoch": 9}
    assert "FIP-0118" in found("allocations", held, None, version=29).reason
    assert "FIP-0118" not in found("allocations", held, None, version=28).reason


def test_labels_are_compared_only_where_both_are_known() -> None:
    ours = fields("deals", DEAL)
    assert drift_of("deals", 8, ours, fields("deals", DEAL, label=b"", label_known=False), 28) is None
    assert found("deals", ours, fields("deals", DEAL, label=b"other")).fields == {"label": (b"a label", b"other")}


@pytest.mark.parametrize(
    ("changes", "epoch", "alive"),
    [
        ({}, 49, True),
        ({}, 50, False),
        ({"sector_start_epoch": 0}, 499, True),
        ({"sector_start_epoch": 0}, 500, False),
        ({"sector_start_epoch": 0, "slash_epoch": 0}, 20, False),
    ],
)
def test_only_deals_that_cannot_be_swept_are_compared(changes: dict[str, int], epoch: int, alive: bool) -> None:
    deal = replace(DEAL, **changes)
    assert (told_fields("deals", deal, epoch) is not None) == alive
    assert is_alive({name: getattr(deal, name) for name in Deal.__slots__}, epoch) == alive


def test_examples_are_bounded_and_counts_are_not() -> None:
    comparison = Comparison("claims")
    for number in range(3 * EXAMPLES_MAX):
        comparison.add(drift_of("claims", number, None, fields("claims", CLAIM), 28))
    comparison.add(drift_of("claims", 7, fields("claims", CLAIM), None, 28))
    assert comparison.counts == Counter(missing=3 * EXAMPLES_MAX, surplus=1)
    assert len(comparison.examples) == EXAMPLES_MAX + 1


def test_an_example_is_json_with_bytes_in_hexadecimal() -> None:
    document = found("claims", None, fields("claims", CLAIM)).document()
    assert document["fields"]["piece"] == {"index": None, "node": "70" * 32}


@given(st.lists(IDS | st.integers(0, 70_000)), st.lists(IDS))
def test_seen_ids_are_a_set(taken: list[int], others: list[int]) -> None:
    seen, known = SeenIds(), set[int]()
    for number in taken:
        assert seen.add(number) == (number not in known)
        known.add(number)
    assert all((number in seen) == (number in known) for number in [*taken, *others, *(one ^ 1 for one in taken)])


@given(st.lists(st.binary(min_size=32, max_size=32)), st.randoms(use_true_random=False), st.integers(0, 50))
def test_a_sum_depends_on_no_order_and_no_pages(hashes: list[bytes], random: Any, cut: int) -> None:
    whole, parts = Sum(), Sum()
    whole.add(b"".join(hashes))
    shuffled = random.sample(hashes, len(hashes))
    parts.add(b"".join(shuffled[:cut]))
    parts.add(None)
    parts.add(b"".join(shuffled[cut:]))
    assert whole == parts == Sum(len(hashes), sum(map(int.from_bytes, hashes)) % MODULUS)


@given(st.lists(st.binary(), min_size=1, unique=True))
def test_leaving_a_line_out_changes_the_sum(lines: list[bytes]) -> None:
    hashes = [hashlib.sha256(line).digest() for line in lines]
    whole, less = Sum(), Sum()
    whole.add(b"".join(hashes))
    less.add(b"".join(hashes[1:]))
    assert whole != less


def test_the_digest_names_network_and_epoch() -> None:
    sums: Any = {kind: Sum(1, 2) for kind in ("claims", "deals", "allocations")}
    digests = {
        Digest(network=network, epoch=epoch, sums=sums).text for network in ("mainnet", "devnet") for epoch in (1, 2)
    }
    assert len(digests) == 4
    lines = "filplus-digest,1,devnet,1\nclaims,1,{0}\ndeals,1,{0}\nallocations,1,{0}\n".format("0" * 63 + "2")
    assert hashlib.sha256(lines.encode()).hexdigest() in digests


@given(st.text())
def test_chores_are_done_at_night(seed: str) -> None:
    assert 0 <= night_minute(seed) < NIGHT_HOURS * 60


def test_replicas_do_not_all_start_at_once() -> None:
    assert len({night_minute(str(Path("/data") / str(number))) for number in range(50)}) > 30


@pytest.mark.parametrize(("error", "level"), [(NodeUnreachable("no"), "warning"), (ValueError("no"), "error")])
async def test_a_chore_that_fails_is_logged(error: Exception, level: str) -> None:
    async def fails() -> None:
        raise error

    with capture_logs() as logs:
        await done(Chore("verification", fails))
    assert [(one["event"], one["log_level"], one["chore"]) for one in logs] == [("chore_failed", level, "verification")]
