"""What an HTTP answer means: a JSON document, or an error of the tree. Lotus' statuses:

200   results, and most errors, that of a missing permission too
500   unknown methods, wrong params, panics: with a JSON error, which tells more than the status
400   no request at all, with a JSON error
401   a token that the node doesn't know: nothing in the body
429   a gateway or provider has enough of us
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from node.chain.errors import (
    BadEndpoint,
    BadRequest,
    ChainError,
    GarbledAnswer,
    NodeOverloaded,
    RateLimited,
    RequestFailed,
    TokenRefused,
)
from node.errors import excerpt
from node.lotus.envelope import parse_json

LONGEST_RETRY_AFTER_S: Final = 24 * 3600.0


def parse_retry_after(text: str | None, *, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks to wait: a number, or a date; None where it says nothing sane."""
    if text is None:
        return None
    bare = text.strip()
    if bare.isascii() and bare.isdigit():
        return min(float(bare[:12]), LONGEST_RETRY_AFTER_S)
    try:
        until = parsedate_to_datetime(bare)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER_S)


def parse_answer(status: int, headers: Mapping[str, str], body: bytes, *, now: datetime) -> object:
    """The JSON document of an answer, of any status, that is one; else the error that the status stands for."""
    error = error_of_status(status, headers, now=now)
    if error is None:
        return _parse_body(headers, body)
    document = None if isinstance(error, RateLimited | TokenRefused) else _parse_error_body(body)
    if document is None:
        raise error
    return document


def error_of_status(status: int, headers: Mapping[str, str], *, now: datetime) -> ChainError | None:
    """The error that a status stands for where the body tells nothing; None for 200."""
    if status == 200:
        return None
    wait_s = parse_retry_after(headers.get("Retry-After"), now=now)
    if status == 429:
        return RateLimited("too many requests (HTTP 429)", retry_after_s=wait_s)
    if status >= 500:
        return NodeOverloaded(f"HTTP {status}", retry_after_s=wait_s)
    if 300 <= status < 400:
        return BadEndpoint(redirect_text(status))
    kind, text = _CLIENT_ERRORS.get(status, (RequestFailed, "the node refuses the request"))
    return kind(f"{text} (HTTP {status})")


def redirect_text(status: int) -> str:
    """What is said of a node that sends elsewhere: a token is not for whoever that is."""
    return f"the address redirects elsewhere (HTTP {status}), which is not followed: use the other one"


_CLIENT_ERRORS: Final[Mapping[int, tuple[type[ChainError], str]]] = {
    400: (BadRequest, "the node makes no sense of the request"),
    401: (TokenRefused, "the node refuses the token, or wants one; see FILPLUS_CHAIN_TOKEN"),
    403: (TokenRefused, "the node refuses the token, or wants one; see FILPLUS_CHAIN_TOKEN"),
    404: (BadEndpoint, "there is no JSON-RPC at this path; a Lotus node has it at /rpc/v1"),
    405: (BadEndpoint, "there is no JSON-RPC at this path; a Lotus node has it at /rpc/v1"),
}


def _parse_error_body(body: bytes) -> object:
    """The JSON-RPC error, or batch, that came with a status other than 200; None where there is none."""
    try:
        document = parse_json(body)
    except GarbledAnswer:
        return None
    if isinstance(document, Mapping) and isinstance(document.get("error"), Mapping):
        return document
    return document if isinstance(document, list) else None


def _parse_body(headers: Mapping[str, str], body: bytes) -> object:
    if not body.strip():
        raise GarbledAnswer("an empty answer")
    try:
        return parse_json(body)
    except GarbledAnswer as error:
        raise GarbledAnswer(f"{error} (Content-Type {excerpt(headers.get('Content-Type'))})") from error
