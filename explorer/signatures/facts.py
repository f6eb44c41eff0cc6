"""What is signed, as facts: a sign-in, a notary's decision on a review, a publisher's proof that it holds its address.

`texts` puts them into words and reads them back; what a fact may be is said there and in `values`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from node.address import Address

APPROVE = "approve"
REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """`signer` signs in to the explorer at `domain`. The times are in UTC, in whole seconds."""

    signer: Address
    network: str
    domain: str
    nonce: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`signer` approves or rejects a review: DataCap of `requested_bytes` for `publisher`, or none."""

    decision: str
    """APPROVE or REJECT."""
    review_id: str
    grant_id: str
    """Minted with the review, so that one approval can never be spent on two grants."""
    publisher: Address
    requested_bytes: int
    signer: Address
    network: str
    domain: str
    nonce: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherProof:
    """The holder of `publisher` asks for DataCap for a cluster's job. No nonce: proving twice gives nothing more."""

    cluster: str
    job_id: str
    publisher: Address
    network: str
    expires_at: datetime


Facts: TypeAlias = SignIn | Decision | PublisherProof
