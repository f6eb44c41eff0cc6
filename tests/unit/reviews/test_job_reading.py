"""What a job's document says of itself, compared with what its review names."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.reviews.job_reading import MOST_CHARS, MOST_COMPARED, NOTHING_SAID, job_says, read_job
from node.cid import parse_cid
from tests.e2e.fake_index import ACTIVE, PAYLOAD

OTHER = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"


def task(*sources: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A task that reads the sources, each the parameters of one."""
    return {"InputSources": [{"Source": {"Type": "ipfs", "Params": one}, "Target": "/in"} for one in sources]} | fields


@pytest.mark.parametrize("source", [{"CID": PAYLOAD}, {"CID": f"{PAYLOAD}/a/b"}, {"URL": f"ipfs://{PAYLOAD}"}])
def test_a_source_that_the_review_names_is_no_news(source: dict[str, str]) -> None:
    assert job_says({"Tasks": [task(source)]}, [ACTIVE, PAYLOAD]).unnamed == ()


def test_another_spelling_of_a_cid_is_the_same() -> None:
    upper = parse_cid(PAYLOAD).to_text().upper()
    assert job_says({"Tasks": [task({"CID": upper})]}, [PAYLOAD]).unnamed == ()


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ({"CID": OTHER}, OTHER),
        ({"URL": f"https://evil.example/ipfs/{PAYLOAD}"}, f"https://evil.example/ipfs/{PAYLOAD}"),
        ({"Bucket": "archive", "Key": PAYLOAD}, "archive"),
        ({"SourcePath": "/etc"}, "/etc"),
        ({}, "a source of the kind ipfs"),
    ],
)
def test_whatever_else_a_task_reads_is_told(source: dict[str, str], named: str) -> None:
    assert job_says({"Tasks": [task({"CID": PAYLOAD}), task(source, source)]}, [PAYLOAD]).unnamed == (named,)


def test_of_very_many_sources_the_first_are_compared_and_the_rest_counted() -> None:
    says = job_says({"Tasks": [task(*[{"CID": PAYLOAD}] * (MOST_COMPARED + 7), {"CID": OTHER})]}, [PAYLOAD])
    assert (says.unnamed, says.uncompared) == ((), 8)


@pytest.mark.parametrize(
    ("kinds", "told"), [(["None"], ()), (["none", ""], ()), (["HTTP", "Full", "HTTP"], ("HTTP", "Full"))]
)
def test_a_network_other_than_none_is_told_once(kinds: list[str], told: tuple[str, ...]) -> None:
    assert job_says({"Tasks": [task(Network={"Type": kind}) for kind in kinds]}, []).networks == told


def test_texts_have_their_place() -> None:
    engine = {"Type": "docker", "Params": {"Image": "a:1", "Entrypoint": ["/bin/sh"], "Parameters": ["-c", "x"]}}
    one = job_says({"Name": "n", "Tasks": [task(Engine=engine)]}, [])
    assert (one.names, one.images) == ((("the job's Name", "n"),), (("the image", "a:1"),))
    assert one.scripts == (("what is run", "/bin/sh"), ("the parameters", "-c x"))
    two = job_says({"Tasks": [task(), task(Engine=engine)]}, [])
    assert two.images == (("the image of task 2", "a:1"),)
    assert job_says({"Name": "n", "Image": "b:1"}, []).images == (("the job's Image", "b:1"),)


@pytest.mark.parametrize("text", ["[]", "null", "{", "1" * 5_000, "[" * 200_000])
def test_what_is_no_job_says_nothing(text: str) -> None:
    assert read_job(text, []) == NOTHING_SAID


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(
        ["Name", "Image", "Engine", "Params", "InputSources", "Source", "CID", "URL", "Network", "Type", "x"]
    ), inner),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_any_document_can_be_looked_at(document: object) -> None:
    says = read_job(json.dumps({"Name": document, "Tasks": [document]}), [PAYLOAD])
    assert all(len(text) <= MOST_CHARS for _, text in (*says.names, *says.images, *says.scripts))
