from typing import Any

import pytest
from multidict import MultiDict

from explorer.web.app import HANDLERS
from explorer.web.config import Limits
from explorer.web.contract import Contract
from explorer.web.problems import KINDS, Problem

CONTRACT = Contract.load(public_url="http://filplus.test", version="1.2.3")
VERDICT = CONTRACT.operations["getVerdict"]
VERDICTS = CONTRACT.operations["postVerdicts"]


def refusal(query: list[tuple[str, str]]) -> str:
    with pytest.raises(Problem) as caught:
        VERDICT.read_query(MultiDict(query))
    return caught.value.code


def test_every_operation_has_a_handler() -> None:
    assert set(CONTRACT.operations) == set(HANDLERS)


def test_defaults_and_types_come_from_the_file() -> None:
    asked = VERDICT.read_query(MultiDict({"at_epoch": "007"}))
    assert (asked["at_epoch"], asked["evidence"], asked["limit"], asked["claims_cursor"]) == (7, "summary", 100, None)


@pytest.mark.parametrize("text", ["", " ", "x", "-1", "+1", "1.0", "1e3", "٣", "0x10", str(2**63), "9" * 5000, "1\n"])
def test_what_is_no_epoch_is_malformed(text: str) -> None:
    assert refusal([("at_epoch", text)]) == "malformed_epoch"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ([("nonsense", "1")], "unknown_parameter"),
        ([("limit", "1"), ("limit", "1")], "repeated_parameter"),
        ([("limit", "0")], "malformed_parameter"),
        ([("limit", "501")], "malformed_parameter"),
        ([("evidence", "some")], "malformed_parameter"),
        ([("format", "xml")], "malformed_parameter"),
        ([("claims_cursor", "")], "malformed_cursor"),
        ([("claims_cursor", "a\x00")], "malformed_cursor"),
        ([("deals_cursor", "x" * 513)], "malformed_cursor"),
    ],
)
def test_each_parameter_has_its_code(query: list[tuple[str, str]], code: str) -> None:
    assert refusal(query) == code


def test_a_refusal_names_parameter_and_value() -> None:
    with pytest.raises(Problem, match="at_epoch must be a whole number from 0 to 9223372036854775807, not 'soon'"):
        VERDICT.read_query(MultiDict({"at_epoch": "soon"}))


def test_an_id_that_no_review_can_have_is_answered_as_one_that_none_has() -> None:
    with pytest.raises(Problem, match="There is no review 'rev_NOPE': ids of reviews look like rev_01") as in_path:
        CONTRACT.operations["getReview"].read_path({"id": "rev_NOPE"})
    with pytest.raises(Problem, match="There is no review 'rev_x'") as in_query:
        CONTRACT.operations["getEvents"].read_query(MultiDict({"review": "rev_x"}))
    for caught in (in_path, in_query):
        assert (caught.value.code, caught.value.remedy) == ("not_found", "GET /reviews lists those that you may see.")


@pytest.mark.parametrize("cid", ["", "a\x00b", "a\nb", "\x7f", "x" * 513])
def test_texts_that_cannot_be_cids_are_refused_by_the_contract(cid: str) -> None:
    with pytest.raises(Problem) as caught:
        VERDICT.read_path({"cid": cid})
    assert caught.value.code == "malformed_cid"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"cids": ["x"] * 10_001}, "too_many_cids"),
        ({"cids": []}, "malformed_body"),
        ({"cids": "x"}, "malformed_body"),
        ({"cids": [1]}, "malformed_body"),
        ({"cids": [None]}, "malformed_body"),
        ({}, "malformed_body"),
        ([], "malformed_body"),
        (None, "malformed_body"),
        ({"cids": ["x"], "more": 1}, "malformed_body"),
        ({"cids": ["x"], "at_epoch": "1"}, "malformed_epoch"),
        ({"cids": ["x"], "at_epoch": -1}, "malformed_epoch"),
        ({"cids": ["x"], "at_epoch": 1.5}, "malformed_epoch"),
        ({"cids": ["x"], "at_epoch": True}, "malformed_epoch"),
        ({"cids": ["x"], "at_epoch": 1e300}, "malformed_epoch"),
    ],
)
def test_bodies_that_do_not_fit(body: Any, code: str) -> None:
    with pytest.raises(Problem) as caught:
        VERDICTS.check_body(body)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {"results": {"outputs": [{"cid": "x", "size_bytes": -1}]}},
            "results.outputs[0].size_bytes must be a whole number from 0 ",
        ),
        ({"results": {"outputs": [], "exit_code": "0"}}, "results.exit_code must be a whole number from "),
        ({"results": {}}, "results.outputs is missing."),
        ({"results": 7}, "results must be an object, not 7."),
        ({"publisher_proof": {"message": "x"}}, "publisher_proof.signature is missing."),
        ({"cids": True}, "cids must be a list, not true."),
        ({"cids": None}, "cids must be a list, not null."),
        ({"cids": {"a": 1}}, "cids must be a list, not an object."),
        ({"cids": []}, "cids is an empty list: at least one entry is due."),
        ({"cids": [7]}, "cids[0] must be text of at most 512 characters, not 7."),
        ({"cids": ["x", ""]}, "cids[1] is empty: text of at most 512 characters is due."),
        ({"job_id": "a\0"}, 'job_id must be text of at most 128 characters without U+0000, not "a\\u0000".'),
        ({"job_id": "x" * 129}, "job_id may have at most 128 characters, not 129."),
        ({"requested_bytes": "01"}, 'requested_bytes must be a decimal number as text, such as "1099511627776", of'),
        ({"requested_bytes": 1}, "requested_bytes must be a decimal number as text, "),
        ({"publisher": "\u202e" * 129}, "publisher may have at most 128 characters, not 129."),
        ({"\u202e": 1}, '"\\u202e" is no field of the body, which takes job_id, job, cids, publisher, '),
        ({str(n): n for n in range(7)}, '"0", "1", "2", "3", "4" and 2 more are no fields of the body, which takes '),
    ],
)
def test_what_does_not_fit_is_named_to_the_field_in_the_words_of_json(changes: dict[str, Any], named: str) -> None:
    body = {"job_id": "j", "job": {}, "cids": ["x"], "publisher": "f1x", "requested_bytes": "1"}
    with pytest.raises(Problem) as caught:
        CONTRACT.operations["postReview"].check_body(body | changes)
    assert caught.value.code == "malformed_body"
    assert caught.value.detail.startswith(named)


@pytest.mark.parametrize(
    ("operation", "body", "detail"),
    [
        ("postVerdicts", None, "The body must be an object, not null."),
        ("postVerdicts", [], "The body must be an object, not a list."),
        ("postVerdicts", {}, "cids is missing."),
        ("postReview", {"job": 1, "cids": ["x"]}, "job_id, publisher and requested_bytes are missing."),
        (
            "postDecision",
            {"decision": "yes", "comment": "x"},
            'decision must be "approve", "reject" or "ask", not "yes".',
        ),
        ("postWebhook", {"url": "x", "types": True}, "types must be a list or null, not true."),
        ("postWebhookRotate", {"overlap_hours": -1}, "overlap_hours must be a number from 0 to 720, not -1."),
        ("postVerdicts", {"cids": ["x"], "at_epoch": False}, "at_epoch must be a whole number from 0 to "),
    ],
)
def test_bodies_of_another_shape_are_answered_in_the_words_of_json(operation: str, body: Any, detail: str) -> None:
    with pytest.raises(Problem) as caught:
        CONTRACT.operations[operation].check_body(body)
    assert caught.value.detail.startswith(detail)


def test_every_pattern_that_a_body_must_fit_is_said_in_words() -> None:
    def unsaid(node: Any) -> list[Any]:
        if isinstance(node, list):
            return [found for one in node for found in unsaid(one)]
        if not isinstance(node, dict):
            return []
        node = CONTRACT.resolve(node)
        is_unsaid = ("pattern" in node or "not" in node) and "x-expected" not in node
        within = [found for name, one in node.items() if name != "not" for found in unsaid(one)]
        return [*([node] if is_unsaid else []), *within]

    paths = CONTRACT.document["paths"].values()
    bodies = [one["requestBody"] for path in paths for one in path.values() if "requestBody" in one]
    assert bodies
    assert unsaid([media["schema"] for body in bodies for media in CONTRACT.resolve(body)["content"].values()]) == []


@pytest.mark.parametrize("body", [{"cids": ["x"] * 10_000}, {"cids": ["x"], "at_epoch": None}, {"cids": [""]}])
def test_bodies_that_fit(body: Any) -> None:
    VERDICTS.check_body(body)


def test_every_example_fits_its_schema() -> None:
    for operation_id, operation in CONTRACT.operations.items():
        node = CONTRACT.document["paths"][operation.path][operation.method]
        good = [response for status, response in node["responses"].items() if status.startswith("2")]
        assert good or "303" in node["responses"], operation_id
        for content in [response["content"] for response in good if "content" in response]:
            for media in content.values():
                assert "example" in media or len(content) > 1, operation_id
                if "example" in media:
                    CONTRACT.validator(media["schema"]).validate(media["example"])
        for media in node.get("requestBody", {}).get("content", {}).values():
            CONTRACT.validator(media["schema"]).validate(media["example"])


def test_the_limits_that_config_states_are_those_of_the_contract() -> None:
    limits, page_size = Limits(), VERDICT.parameters["limit"].schema
    assert (limits.page_size, limits.page_size_max) == (page_size["default"], page_size["maximum"])
    schemas = CONTRACT.document["components"]["schemas"]
    assert limits.cids_per_request == schemas["VerdictRequest"]["properties"]["cids"]["maxItems"]


def test_every_problem_code_of_a_parameter_is_in_the_table() -> None:
    codes = {p.code for operation in CONTRACT.operations.values() for p in operation.parameters.values()}
    assert codes <= set(KINDS)


def test_every_reference_leads_somewhere() -> None:
    def follow(node: Any) -> None:
        if isinstance(node, dict):
            CONTRACT.resolve(node)
            for value in node.values():
                follow(value)
        elif isinstance(node, list):
            for value in node:
                follow(value)

    follow(CONTRACT.document)


def test_a_list_of_words_names_those_that_it_takes() -> None:
    with pytest.raises(Problem, match=r"types must be head, cid or import, .* not 'review'") as caught:
        CONTRACT.operations["getEvents"].read_query(MultiDict({"types": "review"}))
    assert caught.value.code == "malformed_parameter"
