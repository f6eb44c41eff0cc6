"""What a notary is told to look at: each sentence by what brings it, and unknown never as good."""

from datetime import timedelta
from typing import Any

import pytest

from explorer.reviews.job_reading import JobSays
from explorer.reviews.job_risks import MOST_OF_A_KIND
from explorer.reviews.risks import Case, Input, Shared, risks_of
from explorer.reviews.tones import Risk, Tone

GIB = 1 << 30
ONE = Input(cid="bafyone", clients=frozenset({"f01"}), providers=frozenset({"f0100"}), active_copies=3)


def case(**changes: Any) -> Case:
    """A review of which nothing is to be said, with changes."""
    calm: dict[str, Any] = {
        "names": [("the job's id", "regrid-1")],
        "requested_bytes": 4 * GIB,
        "results_bytes": GIB,
        "is_proven": True,
        "intake": ["active"],
        "inputs": [ONE],
        "earlier": {"approved": 2},
        "shared": [Shared(None, 0, 0, 0, 0)],
        "shared_most": 1_000,
    }
    return Case(**calm | changes)


def told(**changes: Any) -> list[Risk]:
    return risks_of(case(**changes))


def test_a_calm_review_says_what_is_fine_and_what_nobody_knows() -> None:
    tones = [risk.tone for risk in told()]
    assert tones == [Tone.UNKNOWN, *[Tone.GOOD] * 7]
    assert "not known" in told()[0].text


@pytest.mark.parametrize(
    ("changes", "tone", "words"),
    [
        ({"results_bytes": None}, Tone.UNKNOWN, "how large the results are is not known"),
        ({"results_bytes": 0}, Tone.BAD, "the results are empty"),
        ({"requested_bytes": 10 * GIB}, Tone.GOOD, "enough for 10 copies"),
        ({"requested_bytes": 11 * GIB}, Tone.LOOK, "enough for 11 copies"),
        ({"requested_bytes": 20 * GIB}, Tone.LOOK, "enough for 20 copies"),
        ({"requested_bytes": 20 * GIB + 1}, Tone.BAD, "enough for 20 copies"),
        ({"requested_bytes": GIB}, Tone.GOOD, "enough for one copy"),
        ({"requested_bytes": GIB - 1}, Tone.LOOK, "less than one copy"),
        (
            {"requested_bytes": 1 << 40, "results_bytes": 888 << 50},
            Tone.LOOK,
            "results of 888 PiB: enough for less than",
        ),
        ({"requested_bytes": 0}, Tone.LOOK, "nothing is asked for"),
        ({"requested_bytes": 1}, Tone.LOOK, "1 byte is asked for"),
        ({"exit_code": 1}, Tone.LOOK, "the job ended with exit code 1"),
        ({"exit_code": -9}, Tone.LOOK, "exit code -9"),
        ({"index_age": timedelta(hours=1, seconds=1)}, Tone.LOOK, "the verdicts are one hour old"),
        ({"index_age": timedelta(hours=30)}, Tone.LOOK, "the verdicts are 30 hours old"),
        ({"index_age": timedelta(days=48)}, Tone.LOOK, "the verdicts are 48 days old"),
        ({"is_proven": False}, Tone.LOOK, "no approval before that"),
        ({"intake": ["active", "past", "unknown"]}, Tone.LOOK, "2 of 3 inputs were not FIL+"),
        ({"earlier": {}}, Tone.LOOK, "a new address"),
        ({"earlier": {"rejected": 1}}, Tone.LOOK, "1 other review here: 1 rejected"),
        ({"shared": []}, Tone.UNKNOWN, "whether other reviews name the same data is not known"),
        (
            {"shared": [Shared(None, 1, 1, 1, 0)]},
            Tone.LOOK,
            "1 other review names the same input: by one cluster, all for this publisher",
        ),
        (
            {"shared": [Shared(None, 1_000, 2, 3, 2)]},
            Tone.LOOK,
            "at least 1,000 other reviews name the same input: by 2 clusters, for 2 other publishers",
        ),
        ({"inputs": []}, Tone.UNKNOWN, "which clients stored the inputs is not known"),
        ({"names": [("the job's id", "pay\u200bload")]}, Tone.LOOK, "can't be seen"),
        ({"names": [("the job's id", "regrid\u2800")]}, Tone.LOOK, "can't be seen"),
        ({"names": [("the cluster's name", "\u0430pple")]}, Tone.LOOK, "mixes Cyrillic and Latin letters"),
        ({"job": JobSays(names=(("the job's Name", "r\u0435grid"),))}, Tone.LOOK, "the job's Name mixes Cyrillic"),
        ({"job": JobSays(images=(("the image", "p\u0443thon:3"),))}, Tone.LOOK, "the image mixes Cyrillic and Latin"),
        (
            {"job": JobSays(images=(("the image", "\u0441\u0443\u0440"),))},
            Tone.LOOK,
            "the image holds U+0440, U+0441, U+0443",
        ),
        (
            {"job": JobSays(images=(("the image", "a\u200bb"),))},
            Tone.LOOK,
            "the image holds characters that can't be seen",
        ),
        (
            {"job": JobSays(scripts=(("what is run", "a\u202eb"),))},
            Tone.LOOK,
            "what is run holds characters that can't",
        ),
        ({"job": JobSays(networks=("Full", "HTTP"))}, Tone.LOOK, "the network (Full, HTTP)"),
        ({"job": JobSays(unnamed=("bafyother",))}, Tone.LOOK, "the job reads bafyother, which it doesn't name here"),
        ({"job": JobSays(unnamed=("a", "b", "c", "d", "e"))}, Tone.LOOK, "the job reads a, b, c and 2 more, which"),
        ({"job": JobSays(uncompared=1_000)}, Tone.LOOK, "1,000 more sources, which weren't compared"),
    ],
)
def test_each_sentence_comes_with_its_cause(changes: dict[str, Any], tone: Tone, words: str) -> None:
    assert [risk.tone for risk in told(**changes) if words in risk.text] == [tone]
    if changes != {"requested_bytes": 0}:
        assert not [risk for risk in told() if words in risk.text]


def input_of(**changes: Any) -> Input:
    facts: dict[str, Any] = {"cid": "bafybeif53axbvb3gbbidww37e36kahbfzui4ypp44uqyjs7bvrdmvjesfq"}
    return Input(**facts | changes)


def test_the_input_of_most_clients_is_named() -> None:
    shared = input_of(clients=frozenset({"f01", "f02", "f03", "f04"}))
    [risk] = [one for one in told(inputs=[ONE, shared], intake=["active"] * 2) if "clients" in one.text]
    assert risk == Risk(
        Tone.LOOK, "4 clients (f01, f02, f03 and others) spent DataCap on the same input bafybeif53…dmvjesfq"
    )


@pytest.mark.parametrize(("copies", "tone"), [(10, Tone.GOOD), (11, Tone.LOOK)])
def test_more_than_ten_copies_are_said(copies: int, tone: Tone) -> None:
    many = input_of(clients=frozenset({"f01"}), providers=frozenset({"f0100", "f0101"}), active_copies=copies)
    [risk] = [one for one in told(inputs=[many]) if "active records" in one.text]
    assert (risk.tone, "at 2 providers" in risk.text) == (tone, True)


def test_who_is_client_and_provider_at_once_is_a_warning_and_comes_first() -> None:
    both = input_of(clients=frozenset({"f01"}), providers=frozenset({"f01"}), active_copies=1)
    assert told(inputs=[both])[0] == Risk(Tone.BAD, "f01 is client and provider of the same input")


@pytest.mark.parametrize(
    ("publisher_id", "tone", "words"),
    [
        (None, Tone.UNKNOWN, "records name parties by actor id, and the publisher's is not known here"),
        ("f02", Tone.GOOD, "the publisher, f02, is neither client nor provider"),
        ("f01", Tone.LOOK, "the publisher, f01, is itself client of the data"),
        ("f0100", Tone.LOOK, "the publisher, f0100, is itself provider of the data"),
    ],
)
def test_whether_the_publisher_stored_the_data_is_said_once_its_id_is_known(
    publisher_id: str | None, tone: Tone, words: str
) -> None:
    assert [risk.tone for risk in told(publisher_id=publisher_id) if words in risk.text] == [tone]


def test_of_a_publisher_nothing_is_said_where_no_record_was_read() -> None:
    assert not [risk for risk in told(publisher_id="f01", inputs=[]) if "f01" in risk.text]


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (["active", "past"], "1 of 2 inputs was FIL+ when it was asked, and isn't any more"),
        (["past", "unknown"], "2 of 2 inputs were FIL+ when it was asked, and aren't any more"),
        (["past"], "1 of the first 1 inputs was FIL+"),
    ],
)
def test_inputs_that_are_fil_plus_no_more_are_counted(lost: list[str], words: str) -> None:
    assert [risk.tone for risk in told(intake=["active"] * 2, now=lost) if words in risk.text] == [Tone.LOOK]
    assert not [risk for risk in told(intake=["active", "past"], now=["active", "past"]) if "any more" in risk.text]


@pytest.mark.parametrize(
    ("effect", "tone"), [("note", Tone.UNKNOWN), ("more_approvals", Tone.LOOK), ("reject", Tone.BAD)]
)
def test_the_rules_findings_are_told_as_they_weigh(effect: str, tone: Tone) -> None:
    finding = {"rule": "large", "effect": effect, "text": "the rule's words"}
    assert Risk(tone, "the rule's words") in told(findings=[finding])


def test_what_the_amount_says_is_not_said_twice() -> None:
    finding = {"rule": "far_above_results", "effect": "more_approvals", "text": "more than 20 copies"}
    assert told(findings=[finding]) == told()


def test_a_job_that_ended_well_lately_over_a_fresh_index_brings_nothing_up() -> None:
    shell = JobSays(scripts=(("the parameters", "-c set -e\n\techo \u043f\u0440\u0438\u0432\u0435\u0442"),))
    assert told(exit_code=0, index_age=timedelta(minutes=59), job=shell) == told()


def test_a_job_of_a_thousand_odd_tasks_fills_no_page() -> None:
    odd = tuple((f"the image of task {number}", "p\u0443thon") for number in range(1_000))
    assert len(told(job=JobSays(images=odd))) == len(told()) + MOST_OF_A_KIND
