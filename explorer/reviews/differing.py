"""Where a review's rows say something else than the audit log. Pure.

| of the review     | compared                                                                             |
|-------------------|--------------------------------------------------------------------------------------|
| its row           | state, round, cluster and its name, job id, job, publisher, bytes, publisher's proof |
|                   | and the addresses of the key that signed it                                          |
| its rounds        | grant, deadline; of the newest quorum and what the rules found                       |
| its CIDs          | each with its verdict, in their order, and the moment that the verdicts are of       |
| its results       | each time's JSON and bytes                                                           |
| decisions         | round, notary and name, decision, comment, text, signature, time,                    |
|                   | and the addresses of the key that signed                                             |
| comments          | who, when, what, and in which order                                                  |
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from explorer.reviews.digests import digest, inputs_digest, text_digest
from explorer.reviews.retold import Retold, digest_of

_PLAIN: Final = (
    "state",
    "round",
    "quorum",
    "grant_id",
    "cluster_id",
    "cluster_name",
    "job_id",
    "publisher",
    "requested_bytes",
)

Row = Mapping[str, Any]


def differences(retold: Retold | None, row: Row) -> list[str]:
    """Where a review's row says something else than the log, and what is wrong with its entries themselves.

    `row` has the columns of the query `rows`. What the log doesn't hold of it is not compared.
    """
    if retold is None:
        return ["the log doesn't tell of it"]
    checks = (_of_row, _of_proof, _of_decisions, _of_rounds, _of_inputs, _of_results, _of_comments)
    return [*retold.faults, *(why for check in checks for why in check(retold, row))]


def _of_row(retold: Retold, row: Row) -> Iterator[str]:
    for name in _PLAIN:
        due = getattr(retold, name)
        if due is not None and row[name] != due:
            yield f"{name} is {row[name]}, by the log {due}"
    if retold.job is not None and _digest_of_json(row["job"]) != retold.job:
        yield "the job isn't the one in the log"


def _of_proof(retold: Retold, row: Row) -> Iterator[str]:
    proof = None if row["proof_message"] is None else digest_of(row["proof_message"], row["proof_signature"])
    if (retold.is_proof_told or proof is None) and proof != retold.proof:
        yield "the publisher's proof isn't the one in the log"
    if retold.proof_addresses is not None and sorted(row["proof_addresses"] or ()) != [*retold.proof_addresses]:
        yield "the addresses of the publisher's key aren't those in the log"


def _of_decisions(retold: Retold, row: Row) -> Iterator[str]:
    decisions = json.loads(row["decisions"])
    kept, told = Counter(digest_of(*one[:-1]) for one in decisions), Counter(retold.said)
    if extra := (kept - told).total():
        yield f"{extra} of its decisions aren't in the log, or were altered"
    if missing := (told - kept).total():
        yield f"{missing} decisions of the log aren't there, or were altered"
    told_keys = dict(retold.keys)
    keys = {text_digest(text): sorted(addresses) for *_, text, _, _, _, addresses in decisions if text is not None}
    if any([*told_keys[text]] != addresses for text, addresses in keys.items() if text in told_keys):
        yield "the addresses of a notary's key aren't those in the log"


def _of_rounds(retold: Retold, row: Row) -> Iterator[str]:
    kept = {number: (grant_id, expires_at) for number, grant_id, expires_at in json.loads(row["rounds"])}
    for number, told in enumerate(retold.rounds, 1):
        for name, due, found in zip(("grant_id", "deadline"), told, kept.get(number, (None, None)), strict=True):
            is_told_above = name == "grant_id" and number == row["round"]
            if due is not None and found != due and not is_told_above:
                yield f"the {name} of round {number} is {found}, by the log {due}"
    if len(kept) != len(retold.rounds):
        yield f"it has {len(kept)} rounds, by the log {len(retold.rounds)}"
    if retold.findings is not None and _digest_of_json(row["findings"]) != retold.findings:
        yield "what the rules found isn't what the log says"


def _of_inputs(retold: Retold, row: Row) -> Iterator[str]:
    kept = inputs_digest(json.loads(row["inputs"]), json.loads(row["inputs_as_of"]))
    if retold.inputs is not None and kept != retold.inputs:
        yield "the CIDs, their verdicts or the moment of these aren't those in the log"


def _of_results(retold: Retold, row: Row) -> Iterator[str]:
    kept = {number: (found, size) for number, found, size in json.loads(row["results"])}
    told = dict(retold.results)
    for number in sorted(kept.keys() - told.keys()):
        yield f"results {number} aren't in the log"
    for number in sorted(told.keys() - kept.keys()):
        yield f"results {number} of the log aren't there"
    for number in sorted(kept.keys() & told.keys()):
        if told[number] is not None and kept[number] != told[number]:
            yield f"results {number} aren't those in the log"


def _of_comments(retold: Retold, row: Row) -> Iterator[str]:
    comments = [digest_of(*one) for one in json.loads(row["comments"])]
    kept, told = Counter(comments), Counter(retold.comments)
    if extra := (kept - told).total():
        yield f"{extra} of its comments aren't in the log, or were altered"
    if missing := (told - kept).total():
        yield f"{missing} comments of the log aren't there, or were altered"
    if kept == told and comments != list(retold.comments):
        yield "its comments are in another order than in the log"


def _digest_of_json(text: str | None) -> str | None:
    """The digest of a JSON text; None where it is none."""
    try:
        return digest(json.loads(text or ""))
    except (ValueError, RecursionError):
        return None
