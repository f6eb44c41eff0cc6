"""Reviews in a terminal. Whatever a cluster wrote, no byte of it moves the cursor."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.cli.terminal import Terminal, shown
from explorer.reviews.policies import amount_said, bytes_said, exact_amount
from explorer.signatures.errors import SignedTextError
from explorer.signatures.facts import Decision, PublisherProof
from explorer.signatures.verify import verify_record
from node.address import parse_address

Document = Mapping[str, Any]

JOB_LINES = 40
LOG_LINES = 10
ROWS = 20
_INDENT = "  "


def print_reviews(terminal: Terminal, page: Document) -> None:
    """A page of a list, two lines each."""
    if not page["reviews"]:
        terminal.people.print("No such review.")
        return
    for row in page["reviews"]:
        terminal.tell(f"{row['id']}  {row['sentence']}", indent=_INDENT, style="bold")
        about = f"{row['cluster']}, job {row['job_id']}: {_amount(row)} for {row['publisher']}"
        until = f", until {_minute(row['expires_at'])} UTC" if row["state"] == "open" else ""
        terminal.tell(f"{_INDENT}{about}{until}", indent=_INDENT, style="dim")
    if page["next_cursor"]:
        terminal.people.print(f"older ones: --cursor {shown(page['next_cursor'])}")


def print_review(terminal: Terminal, review: Document) -> None:
    """All of a review that a person needs; the whole of it is what --json prints."""
    terminal.tell(f"{review['id']} {review['sentence']}", indent=_INDENT, style="bold")
    for name, value in _facts(review):
        terminal.tell(f"{name:<10} {value}", indent=" " * 11)
    _print_part(terminal, "inputs", [f"{one['verdict']:<8} {one['cid']}" for one in review["inputs"]])
    _print_part(terminal, "rules", [f"{one['effect']}: {one['text']}" for one in review["policy"]])
    _print_part(terminal, "job", _job_lines(review["job"]), most=JOB_LINES)
    _print_results(terminal, review["results"])
    _print_part(terminal, "said", _said_lines(review))
    _print_part(terminal, "decisions", [_decision_line(review, one) for one in review["decisions"]])
    if len(review["rounds"]) > 1:
        _print_part(terminal, "rounds", [_round_line(one) for one in review["rounds"]])


def _facts(review: Document) -> list[tuple[str, str]]:
    approvals = sum(one["decision"] == "approve" and one["round"] == review["round"] for one in review["decisions"])
    return [
        ("cluster", f"{review['cluster']} ({review['cluster_id']})"),
        ("job", review["job_id"]),
        ("publisher", f"{review['publisher']}, {_proof(review)}"),
        ("DataCap", exact_amount(int(review["requested_bytes"]))),
        ("approvals", f"{approvals} of {review['quorum']}"),
        _time(review),
    ]


def _time(review: Document) -> tuple[str, str]:
    """Until when an open review can be decided on; when a closed one was closed."""
    if review["state"] == "open":
        return "until", f"{_minute(review['expires_at'])} UTC"
    return "closed", f"{_minute(review['rounds'][-1]['ended_at'] or review['updated_at'])} UTC"


def _said_lines(review: Document) -> list[str]:
    """The comments; those that came with withdrawing or reopening say so: they were written in the same moment."""
    done = {one["ended_at"]: ["withdrew it"] for one in review["rounds"] if one["outcome"] == "withdrawn"}
    done |= {one["opened_at"]: [f"reopened it as round {one['round']}"] for one in review["rounds"][1:]}
    return [
        f"{_minute(one['at'])} {' '.join([one['by']['name'], *done.get(one['at'], [])])}: {one['comment']}"
        for one in review["comments"]
    ]


def _round_line(one: Document) -> str:
    outcome = "open" if one["outcome"] is None else f"{one['outcome']} {_minute(one['ended_at'])}"
    return f"{one['round']}: {_minute(one['opened_at'])}, {outcome}, {one['grant_id']}"


def _proof(review: Document) -> str:
    proof = review["publisher_proof"]
    if proof is None:
        return "who has not proved yet to hold the address"
    due = {"publisher": parse_address(review["publisher"]), "cluster": review["cluster"], "job_id": review["job_id"]}
    return f"who holds the address: {_genuine(proof, PublisherProof, due)}"


def _decision_line(review: Document, decision: Document) -> str:
    line = f"{_minute(decision['at'])} {decision['notary_name']} ({decision['notary']}): {decision['decision']}"
    if len(review["rounds"]) > 1:
        line += f" in round {decision['round']}"
    if decision["message"] is not None:
        due = {
            "review_id": review["id"],
            "grant_id": decision["grant_id"],
            "publisher": parse_address(review["publisher"]),
            "requested_bytes": int(review["requested_bytes"]),
        }
        line += f", {_genuine(decision, Decision, due)}"
    return f"{line}. {decision['comment']}"


def _genuine(record: Document, kind: type, due: Mapping[str, object]) -> str:
    """Whether a signature is genuine and about what it stands beside, found out here."""
    try:
        facts = verify_record(record)
    except SignedTextError as error:
        return f"SIGNATURE NOT GENUINE: {error}"
    if type(facts) is not kind or any(getattr(facts, name) != value for name, value in due.items()):
        return "SIGNATURE OF ANOTHER TEXT"
    return "signature verified"


def _job_lines(job: Any) -> list[str]:
    return json.dumps(job, indent=2, ensure_ascii=False).split("\n")


def _print_results(terminal: Terminal, results: Document | None) -> None:
    if results is None:
        return
    rows = [f"exit code {results['exit_code']}"] if results["exit_code"] is not None else []
    rows += [f"{one['cid']} {_size(one['size_bytes'])}" for one in results["outputs"]]
    _print_part(terminal, "results", rows)
    _print_part(terminal, "log", log_lines(results["log_tail"] or "")[-LOG_LINES:])


def log_lines(log: str) -> list[str]:
    """The lines of a log at its line feeds only: a carriage return makes up no line, it is shown."""
    text = log.replace("\r\n", "\n").removesuffix("\n")
    return text.split("\n") if text else []


def _print_part(terminal: Terminal, title: str, rows: Sequence[str], *, most: int = ROWS) -> None:
    """Some lines under a title, as many as fit, each inert."""
    if not rows:
        return
    terminal.people.print(f"[bold]{title}[/]")
    for row in rows[:most]:
        terminal.tell(f"{_INDENT}{row}", indent=_INDENT * 2)
    if len(rows) > most:
        terminal.people.print(f"  and {len(rows) - most} more lines: --json has them all", style="dim")


def _amount(review: Document) -> str:
    return amount_said(int(review["requested_bytes"]))


def _size(size_bytes: int | None) -> str:
    return "" if size_bytes is None else bytes_said(size_bytes)


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
