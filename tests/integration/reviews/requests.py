"""What clusters and publishers send."""

from datetime import UTC, datetime, timedelta
from typing import Any

from explorer.signatures.facts import PublisherProof
from explorer.signatures.texts import text_of
from explorer.signatures.verify import sign_text
from node.signing import SecretKey
from tests.e2e.fake_index import ACTIVE
from tests.unit.signatures.builders import PUBLISHER, PUBLISHER_F1

TIB = 1 << 40


def job(**changes: Any) -> dict[str, Any]:
    """A request for a review, with changes."""
    return {
        "job_id": "j-7f3a",
        "job": {"Name": "climate-regrid"},
        "cids": [ACTIVE],
        "publisher": str(PUBLISHER_F1),
        "requested_bytes": str(TIB),
    } | changes


def proof_of(
    *, cluster: str = "eu", job_id: str = "j-7f3a", network: str = "mainnet", key: SecretKey = PUBLISHER, **changes: Any
) -> dict[str, str]:
    """A proof made without asking the service: its text is a pure function."""
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    facts = {"cluster": cluster, "job_id": job_id, "publisher": PUBLISHER_F1, "network": network}
    text = text_of(PublisherProof(**facts | {"expires_at": expires_at} | changes))
    return {"message": text, "signature": sign_text(key, text)}
