"""Errors as RFC 9457 documents: one table of codes, and the way from an exception to a document.

* Problem: raised by the HTTP layer itself, with a code of the table below
* QuestionError carries its code; other errors of the layers beneath have one in `problem_from_error`
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import DatabaseError, FilplusError, QueryTimeout, QuestionError

VALUE_CHARS = 100
DETAIL_CHARS = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its HTTP status, its title, and what helps."""

    status: int
    title: str
    remedy: str


_READ_DOCS = "The parameters of every address are at /docs."

KINDS: Mapping[str, Kind] = {
    "malformed_cid": Kind(400, "Not a CID", "Give one CID as text, for example baga6ea4seaq…, bafy… or Qm…."),
    "malformed_epoch": Kind(400, "Not an epoch", "Give a chain height: a whole number from 0 up, such as 4622139."),
    "malformed_time": Kind(400, "Not a time", "Give an RFC 3339 time with its offset, such as 2025-01-15T12:00:00Z."),
    "epoch_not_indexed": Kind(
        400, "That epoch is not indexed", "Ask for an epoch within the coverage that /status shows, or for none."
    ),
    "malformed_cursor": Kind(400, "Not a cursor", "Pass on the cursor of the previous answer unchanged, or none."),
    "malformed_id": Kind(400, "Not an id", "Give the number of the record, such as 87884600."),
    "malformed_parameter": Kind(400, "A parameter is malformed", _READ_DOCS),
    "unknown_parameter": Kind(400, "There is no such parameter", _READ_DOCS),
    "repeated_parameter": Kind(400, "A parameter is repeated", "Give each parameter once."),
    "conflicting_parameters": Kind(400, "Two parameters exclude each other", "Give at_epoch or at, not both."),
    "malformed_json": Kind(
        400, "The body is not JSON", "Send one JSON document in UTF-8, without repeated keys or NaN."
    ),
    "malformed_body": Kind(400, "The body has another shape", "Send the shape that /docs shows for this address."),
    "bad_request": Kind(400, "The request cannot be read", _READ_DOCS),
    "malformed_idempotency_key": Kind(400, "Not an idempotency key", "Send one of 1 to 200 printable characters."),
    "repeated_credentials": Kind(400, "Two credentials at once", "Send one header Authorization, or one signature."),
    "credentials_missing": Kind(401, "Who are you?", "Send Authorization: Bearer with your key; see /docs."),
    "malformed_key": Kind(401, "Not a key", "Send the key whole, as `filplus cluster add` printed it."),
    "unknown_key": Kind(401, "No such key", "Ask the operator for a key: filplus cluster add."),
    "ended_key": Kind(401, "The key has ended", "Use the newer key, or ask the operator for one."),
    "ended_session": Kind(401, "The session has ended", "Sign in again."),
    "refused_signature": Kind(401, "The request's signature is refused", "Sign it anew, as the documentation says."),
    "replayed_signature": Kind(401, "This signed request came before", "Sign it anew, with a new nonce."),
    "name_refused": Kind(400, "No name", "Give it a short name of letters and digits."),
    "scope_missing": Kind(403, "You may not do that", "Use a key that has the scope, or ask the operator for one."),
    "cross_site": Kind(403, "Sent from another site", "Do it on this service's own pages."),
    "malformed_text": Kind(400, "No text to be signed", "Sign the text that was given out, as it is."),
    "address_unsuited": Kind(400, "No address that signs", "Give an address with a key: f1…, f3…, f410f… or 0x…."),
    "signature_refused": Kind(403, "The signature is not taken", "Ask for a new text, and sign it as it is."),
    "nonce_refused": Kind(403, "The nonce is not taken", "Ask for a new text; each serves once, and not for long."),
    "not_a_notary": Kind(403, "Not a notary", "Ask the operator to add the address: filplus notary add."),
    "sign_in_insecure": Kind(
        403,
        "Nobody can sign in here",
        "Have the operator set FILPLUS_PUBLIC_URL to https, or to this machine's own http.",
    ),
    "malformed_address": Kind(400, "Not an address", "Give one address: f0…, f1…, f3…, f410f… or 0x…."),
    "own_review": Kind(403, "Nobody decides their own", "Have another notary decide."),
    "not_allowed": Kind(403, "That is not yours to do", "See /docs for who may do what with a review."),
    "not_found": Kind(404, "Nothing here", "Check the address or the number, and what /status says is covered."),
    "address_unresolved": Kind(
        404, "Whose address that is, is not known here", "Give the actor id, f0… or 0xff…; a node or Filfox tells it."
    ),
    "actor_unknown": Kind(
        404, "Nobody has that address", "Check the address; one that was never used on the chain has no actor yet."
    ),
    "webhook_not_found": Kind(404, "No such webhook", "GET /webhooks shows those there are."),
    "delivery_not_found": Kind(404, "No such delivery", "GET /webhooks/{id}/deliveries shows those of a webhook."),
    "method_not_allowed": Kind(405, "This address has other methods", "Use one of the methods in the header Allow."),
    "not_acceptable": Kind(406, "No such representation", "Ask for application/json, or for */*."),
    "request_timeout": Kind(
        408, "The body did not come", "Send the whole body at once; /config states the time it has."
    ),
    "under_way": Kind(409, "The same request is under way", "Send it again in a while, with the same key."),
    "other_body": Kind(409, "The same job with another body", "Post the same body again, or use another job_id."),
    "review_closed": Kind(409, "The review is no longer open", "Look at its state; it may be possible to reopen it."),
    "review_expired": Kind(409, "The review's deadline has passed", "Reopen the review, then decide."),
    "already_decided": Kind(409, "Decided already", "One notary decides once; another one has to be the next."),
    "publisher_proof_missing": Kind(
        409, "The publisher has proved nothing yet", "Have the publisher sign GET /reviews/{id}/publisher-proof."
    ),
    "not_reopenable": Kind(409, "That review can't be reopened", "Report a new job instead."),
    "too_many_entries": Kind(409, "That is enough", "Report a new job instead."),
    "too_many_views": Kind(409, "You have saved enough views", "Remove one that you no longer need."),
    "view_exists": Kind(409, "You have a view of that name", "Replace it, or take another name."),
    "webhook_refused": Kind(409, "Not as it stands", "Change first what the detail names."),
    "body_too_large": Kind(413, "The body is too large", "Send less at a time; /config states the limits."),
    "uri_too_long": Kind(414, "The address is too long", "Send many CIDs as a body to POST /cids/filplus."),
    "unsupported_media_type": Kind(415, "The body is of another type", "Send Content-Type: application/json."),
    "expectation_failed": Kind(417, "That expectation is not met", "Leave out Expect, or send 100-continue."),
    "too_many_cids": Kind(422, "Too many CIDs at once", "Send them in several requests; /config states the limit."),
    "not_filplus": Kind(422, "No CID of the job is FIL+", "See the verdicts: at least one CID has to be active."),
    "address_of_other_network": Kind(
        422, "An address of another network", "Spell the address as this network does; /status names it."
    ),
    "publisher_cannot_prove": Kind(
        422, "That address can't prove anything", "Name the f1, f3, f410 or 0x address whose key signs for it."
    ),
    "url_refused": Kind(422, "No address for alerts", "Give https://host/path, on port 443 or 8443 of a public host."),
    "idempotency_key_reused": Kind(
        422, "The idempotency key was used for something else", "Take a new one for each new request."
    ),
    "too_many_requests": Kind(429, "Too many requests", "Wait as long as Retry-After says; /config states the rates."),
    "headers_too_large": Kind(431, "The headers are too large", "Send fewer or shorter headers."),
    "internal_error": Kind(500, "We made a mistake", "Try again, and report the request id if it happens again."),
    "database_unavailable": Kind(503, "The database does not answer", "Try again in some seconds."),
    "too_many_downloads": Kind(503, "Too many tables are on their way", "Try again later, or ask for pages of JSON."),
    "too_many_streams": Kind(503, "Too many streams are open", "Try again later, or ask /status now and then instead."),
    "node_unavailable": Kind(
        503, "The chain's node does not answer", "Give the actor id, f0… or 0xff…, which needs no node; or try again."
    ),
    "too_many_addresses": Kind(
        503, "Too many addresses are looked up", "Give the actor id, f0… or 0xff…, which needs no node; or try again."
    ),
    "timeout": Kind(503, "The answer took too long", "Try again, or ask for less at a time."),
}
"""Every code that an answer can carry. `/docs` prints this table."""

RETRY_AFTER_S = 5


@dataclass(slots=True, eq=False)
class Problem(Exception):
    """A refusal by the HTTP layer. `detail` says what is wrong with which value."""

    code: str
    detail: str
    value: str | None = None
    remedy: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further members of the document, as RFC 9457 allows: the verdicts of a refused review."""

    def __str__(self) -> str:
        return self.detail

    @property
    def kind(self) -> Kind:
        """The row of the table that the code names."""
        return KINDS[self.code]


def unauthorized(code: str, detail: str) -> Problem:
    """A 401 that says how to be recognised (RFC 6750 §3)."""
    error = "" if code == "credentials_missing" else ', error="invalid_token"'
    return Problem(code, detail, headers={"WWW-Authenticate": f'Bearer realm="filplus"{error}'})


def problem_from_error(error: FilplusError, *, value: str | None) -> Problem:
    """The problem that an error of the layers beneath is answered with.

    Only a question's error speaks to the person who asked; the others would tell strangers about our database.
    `value` is what the address names, for errors that don't carry theirs.
    """
    match error:
        case QuestionError(code=code) if code in KINDS:
            own_value = getattr(error, "value", None)
            shown = value if own_value is None else str(own_value)
            remedy, extra = getattr(error, "remedy", None), getattr(error, "extra", {})
            return Problem(code, str(error) or KINDS[code].title, shown, remedy, extra=extra)
        case QueryTimeout():
            return Problem("timeout", "The database took too long over this request.")
        case DatabaseError():
            return Problem("database_unavailable", "The service cannot reach its database at the moment.")
        case _:
            return Problem("internal_error", "The service failed to answer this request.")


def problem_document(problem: Problem, *, request_id: str, public_url: str) -> dict[str, Any]:
    """The RFC 9457 document; `instance` is the request's id, which is also in `X-Request-ID` and in the log."""
    return {
        "type": f"{public_url}/docs#problem-{problem.code}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": shortened(problem.detail, DETAIL_CHARS),
        "instance": request_id,
        "code": problem.code,
        "value": None if problem.value is None else shortened(problem.value, VALUE_CHARS),
        "remedy": problem.remedy or problem.kind.remedy,
        **problem.extra,
    }


def shortened(text: str, length: int) -> str:
    """The text in at most that many characters, cut in the middle, always encodable as UTF-8."""
    if len(text) > length:
        tail = length // 4
        text = f"{text[: length - tail - 1]}…{text[-tail:]}"
    return text.encode("utf-8", "replace").decode("utf-8")
