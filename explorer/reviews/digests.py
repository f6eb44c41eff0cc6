"""Digests of what notaries decide on, for the audit log: it holds them where the thing itself is too large. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from explorer.reviews.policies import Finding


def digest(value: Any) -> str:
    """The SHA-256 of a JSON value: keys sorted, no spaces, ASCII."""
    return text_digest(json.dumps(value, sort_keys=True, separators=(",", ":")))


def text_digest(text: str) -> str:
    """The SHA-256 of a text's UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def inputs_digest(inputs: Iterable[Sequence[str]], as_of: Any) -> str:
    """Of the CIDs with their verdicts, in their order, and the moment that the verdicts are of."""
    return digest([[list(one) for one in inputs], as_of])


def findings_digest(findings: Iterable[Finding]) -> str:
    """Of what the rules found."""
    return digest([one.document() for one in findings])


def results_facts(number: int, document: str, size_bytes: int | None) -> dict[str, Any]:
    """Results as an entry names them: which they are, the digest of the JSON that is kept, and their bytes."""
    size = None if size_bytes is None else str(size_bytes)
    return {"number": number, "digest": text_digest(document), "size_bytes": size}


def moment_text(moment: datetime) -> str:
    """A moment as entries spell it, and the query `rows`: to the microsecond, always."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def round_facts(number: int, grant_id: str, quorum: int, deadline: datetime, found: str) -> Mapping[str, Any]:
    """A round as the entry that begins it names it; `found` is the digest of what the rules found."""
    return {
        "round": number,
        "grant_id": grant_id,
        "quorum": quorum,
        "expires_at": moment_text(deadline),
        "findings": found,
    }
