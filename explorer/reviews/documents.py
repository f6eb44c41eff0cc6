"""Reviews as JSON: the whole one, one line of a list, and what an alert carries. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from node.address import parse_address
from node.network import Network

Document = dict[str, Any]
Row = Mapping[str, Any]

ALERT_JOB_BYTES: Final = 16_384
ALERT_INPUTS: Final = 100
ALERT_LOG_CHARS: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All rows of one review."""

    review: Row
    inputs: Sequence[Row]
    decisions: Sequence[Row]
    comments: Sequence[Row]
    results: Row | None
    """The newest; its number is how many there are."""
    rounds: Sequence[Row]


def review_document(record: Record, network: Network) -> Document:
    """The document `Review`. `job` is a fragment for orjson: the cluster's own JSON, whatever numbers it holds."""
    review = record.review
    return {
        **_head(review, record.decisions, network),
        "job": orjson.Fragment(review["job"]),
        "job_truncated": False,
        "inputs": [dict(row) for row in map(_input, record.inputs)],
        "inputs_total": len(record.inputs),
        "inputs_as_of": json.loads(review["inputs_as_of"]),
        "results": None if record.results is None else _results(record.results),
        "results_total": 0 if record.results is None else record.results["number"],
        "publisher_proof": _proof(review),
        "comments": [_comment(row) for row in record.comments],
        "rounds": [_round(row) for row in record.rounds],
    }


def alert_document(record: Record, network: Network) -> Document:
    """The review as an alert carries it: without a large job, most of many inputs, and what was said long before."""
    review, document = record.review, review_document(record, network)
    is_large = len(review["job"].encode()) > ALERT_JOB_BYTES
    results = document["results"]
    if results is not None and results["log_tail"] is not None:
        results = {**results, "log_tail": results["log_tail"][-ALERT_LOG_CHARS:]}
    if results is not None:
        results = {**results, "outputs": results["outputs"][:ALERT_INPUTS]}
    return {
        **document,
        "job": None if is_large else json.loads(review["job"]),
        "job_truncated": is_large,
        "inputs": document["inputs"][:ALERT_INPUTS],
        "decisions": document["decisions"][-ALERT_INPUTS:],
        "results": results,
        "comments": document["comments"][-ALERT_INPUTS:],
    }


def summary_document(review: Row, decisions: Sequence[Row], network: Network) -> Document:
    """The document `ReviewSummary`: a line of a list, without the job, its inputs and what was said."""
    return {
        **_head(review, decisions, network),
        "inputs_total": review["inputs_total"],
        "publisher_proof": None if review["proof_at"] is None else {"at": time_text(review["proof_at"])},
    }


def _head(review: Row, decisions: Sequence[Row], network: Network) -> Document:
    current = [row for row in decisions if row["round"] == review["round"]]
    return {
        "id": review["id"],
        "state": review["state"],
        "sentence": sentence(review, current),
        "cluster": review["cluster_name"],
        "cluster_id": review["cluster_id"],
        "job_id": review["job_id"],
        "publisher": parse_address(review["publisher"]).to_text(network.address_prefix),
        "requested_bytes": str(review["requested_bytes"]),
        "quorum": review["quorum"],
        "decisions": [_decision(row) for row in decisions],
        "policy": json.loads(review["findings"]),
        "grant_id": review["grant_id"],
        "round": review["round"],
        "revision": review["revision"],
        "expires_at": time_text(review["expires_at"]),
        "created_at": time_text(review["created_at"]),
        "updated_at": time_text(review["updated_at"]),
    }


def sentence(review: Row, decisions: Sequence[Row]) -> str:
    """Where a review stands, in words; `decisions` are those of its round. Nothing here says that DataCap moved."""
    state = review["state"]
    if state == "approved":
        return "approved, waits for DataCap"
    if state == "rejected":
        by = next((row["notary_name"] for row in decisions if row["decision"] == "reject"), None)
        return "rejected by a rule, see policy" if by is None else f"rejected by {by}"
    if state == "expired":
        return "expired: nobody decided in time"
    if state == "withdrawn":
        return "withdrawn by who asked"
    if review.get("is_overdue"):
        return "open, but its deadline has passed: nobody can decide on it any more"
    return f"open, waits for {' and '.join(_awaited(review, decisions))}"


def _awaited(review: Row, decisions: Sequence[Row]) -> list[str]:
    missing = review["quorum"] - sum(row["decision"] == "approve" and row["counts"] for row in decisions)
    approvals = "1 approval" if missing == 1 else f"{missing} approvals"
    return [
        *(["an answer to a notary's question"] if review["is_asked"] else []),
        *(["the publisher's proof"] if review["proof_at"] is None else []),
        approvals if missing == review["quorum"] else f"{missing} more of {review['quorum']} approvals",
    ]


def _input(row: Row) -> Document:
    filplus = None if row["verdict"] == "unknown" else row["verdict"] == "active"
    return {"cid": row["cid"], "filplus": filplus, "verdict": row["verdict"]}


def _decision(row: Row) -> Document:
    return {
        "notary": row["notary"],
        "notary_name": row["notary_name"],
        "decision": row["decision"],
        "comment": row["comment"],
        "message": row["message"],
        "signature": row["signature"],
        "at": time_text(row["at"]),
        "round": row["round"],
        "grant_id": row["grant_id"],
    }


def _results(row: Row) -> Document:
    return {**json.loads(row["document"]), "number": row["number"], "at": time_text(row["at"])}


def _proof(review: Row) -> Document | None:
    if review["proof_at"] is None:
        return None
    return {
        "message": review["proof_message"],
        "signature": review["proof_signature"],
        "at": time_text(review["proof_at"]),
    }


def _comment(row: Row) -> Document:
    author = {"kind": row["actor_kind"], "id": row["actor_id"], "name": row["actor_name"]}
    return {"at": time_text(row["at"]), "by": author, "comment": row["body"]}


def _round(row: Row) -> Document:
    ended_at = row["ended_at"]
    return {
        "round": row["round"],
        "grant_id": row["grant_id"],
        "quorum": row["quorum"],
        "outcome": row["outcome"],
        "opened_at": time_text(row["opened_at"]),
        "expires_at": time_text(row["expires_at"]),
        "ended_at": None if ended_at is None else time_text(ended_at),
    }


def time_text(moment: datetime) -> str:
    """A moment in UTC, RFC 3339, to the microsecond where it has any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
