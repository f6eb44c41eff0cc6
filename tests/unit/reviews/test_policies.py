from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.reviews.policies import FAR, MAXIMUM_BYTES, Asked, Weight, assess, exact_amount

PIB, TIB = 1 << 50, 1 << 40


def asked(**changes: Any) -> Asked:
    return Asked(**{"requested_bytes": TIB, "results_bytes": None, "programme": "open"} | changes)


@pytest.mark.parametrize(
    ("changes", "rules", "quorum", "rejects"),
    [
        ({}, [], 1, False),
        ({"requested_bytes": PIB - 1}, [], 1, False),
        ({"requested_bytes": PIB}, ["large"], 2, False),
        ({"requested_bytes": 0}, ["nothing_requested"], 1, True),
        ({"requested_bytes": MAXIMUM_BYTES}, ["large"], 2, False),
        ({"requested_bytes": MAXIMUM_BYTES + 1}, ["above_maximum"], 1, True),
        ({"programme": "retired"}, ["programme_retired"], 1, True),
        ({"programme": "unknown"}, ["programme_unknown"], 1, False),
        ({"results_bytes": TIB // FAR}, ["far_above_results"], 2, False),
        ({"requested_bytes": FAR, "results_bytes": 1}, [], 1, False),
        ({"results_bytes": 0}, ["far_above_results"], 2, False),
        ({"requested_bytes": 2 * PIB, "results_bytes": TIB}, ["large", "far_above_results"], 3, False),
    ],
)
def test_rules(changes: dict[str, Any], rules: list[str], quorum: int, rejects: bool) -> None:
    found = assess(asked(**changes), quorum_bytes=PIB)
    assert ([one.rule for one in found.findings], found.quorum, found.rejects) == (rules, quorum, rejects)


@given(
    st.integers(0, 2**80 - 1),
    st.none() | st.integers(0, 2**80),
    st.sampled_from(["open", "retired", "unknown", "?"]),
    st.integers(1, 2**80),
)
def test_no_rule_approves_and_none_lowers_the_quorum(
    requested: int, results: int | None, programme: str, quorum_bytes: int
) -> None:
    found = assess(
        asked(requested_bytes=requested, results_bytes=results, programme=programme), quorum_bytes=quorum_bytes
    )
    assert found.quorum >= 1
    assert {one.effect for one in found.findings} <= set(Weight)
    assert all(one.text for one in found.findings)


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (
            MAXIMUM_BYTES + 1,
            "1152921504606846977 bytes is requested, and no request may be for more than 11529215046068",
        ),
        (2 * MAXIMUM_BYTES, "2 EiB is requested, and no request may be for more than 1 EiB"),
        (2 * MAXIMUM_BYTES + 1, "about 2 EiB is requested, and no request may be for more than 1 EiB"),
    ],
)
def test_amounts_that_look_the_same_are_said_to_the_byte(amount: int, said: str) -> None:
    [finding] = assess(asked(requested_bytes=amount), quorum_bytes=MAXIMUM_BYTES).findings
    assert finding.text.startswith(said)


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1 KiB (1024 bytes)"),
        (1025, "about 1 KiB (1025 bytes)"),
    ],
)
def test_an_exact_amount_says_nothing_twice(amount: int, said: str) -> None:
    assert exact_amount(amount) == said
