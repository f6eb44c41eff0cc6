"""What can go wrong with reviews.

* FilplusError
  x QuestionError
    x IntakeRefused             a request that becomes no review
      + MalformedRequest        a field that can't be taken
      + JobTooLarge
      + MalformedAddress
      + OtherNetworkAddress
      + PublisherCannotProve    an address without a key of its own
      + NotFilplus              no CID is active; `rows` are the verdicts
      + OtherBody               the same job again, but with another body; `fields` differ
    x LifeRefused               the review isn't in a state for that
      + ReviewClosed
      + DeadlinePassed
      + AlreadyDecided          one decision per notary and round
      + OwnReview               nobody decides their own
      + ProofMissing            no approval without the publisher's proof
      + NotReopenable
      + TooMuchSaid             so many comments or results are enough
    + MalformedFilter           a parameter of a list, or of a text to be signed
    + NotThisActor              somebody may see the review, but not do that
    + ReviewUnknown             (a NotFound) no such review, or none that this one may see
    + PublisherUnknown          (a NotFound) no review that this one may see names that publisher

`+` is raised, `x` only groups. Who signs or asks in vain: explorer.access.errors and explorer.signatures.errors.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.errors import NotFound, QuestionError


class IntakeRefused(QuestionError):
    """A request that becomes no review."""


class MalformedRequest(IntakeRefused):
    """A field of a request can't be taken."""

    code = "malformed_body"


class JobTooLarge(IntakeRefused):
    """The job's document is beyond what is kept."""

    code = "body_too_large"


class MalformedAddress(IntakeRefused):
    """The text is no Filecoin address."""

    code = "malformed_address"


class OtherNetworkAddress(IntakeRefused):
    """An address spelled for another network than this explorer's."""

    code = "address_of_other_network"


class PublisherCannotProve(IntakeRefused):
    """An address that no key belongs to, so that nobody could ever prove to hold it."""

    code = "publisher_cannot_prove"


class NotFilplus(IntakeRefused):
    """No CID of the job is active FIL+ data."""

    code = "not_filplus"

    def __init__(self, rows: Sequence[Mapping[str, Any]], as_of: Mapping[str, Any]) -> None:
        told = ", ".join(f"{row['cid'][:20]}… {row['verdict']}" for row in rows[:3])
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        super().__init__(f"none of the job's CIDs is FIL+ now: {told}{more}", value=rows[0]["cid"])
        self.extra = {"verdicts": [dict(row) for row in rows], "as_of": dict(as_of)}


class OtherBody(IntakeRefused):
    """The cluster has reported this job before, with another body."""

    code = "other_body"

    def __init__(self, review_id: str, job_id: str, fields: Sequence[str]) -> None:
        named = ", ".join(fields)
        super().__init__(f"review {review_id} is of that job, but {named} differs; use another job id", value=job_id)
        self.extra = {"review": review_id, "differs": list(fields)}


class LifeRefused(QuestionError):
    """The review isn't in a state for that."""


class ReviewClosed(LifeRefused):
    """The review is no longer open."""

    code = "review_closed"


class DeadlinePassed(LifeRefused):
    """The review's time is over, though nobody has written that down yet."""

    code = "review_expired"


class AlreadyDecided(LifeRefused):
    """This notary, or the same key under another address, has decided in this round."""

    code = "already_decided"


class OwnReview(LifeRefused):
    """The notary is the publisher."""

    code = "own_review"


class ProofMissing(LifeRefused):
    """Nobody has proved to hold the publisher's address."""

    code = "publisher_proof_missing"


class NotReopenable(LifeRefused):
    """The review is open, or was approved."""

    code = "not_reopenable"


class TooMuchSaid(LifeRefused):
    """A review takes only so many comments and results."""

    code = "too_many_entries"


class MalformedFilter(QuestionError):
    """A parameter that can't be taken."""

    code = "malformed_parameter"


class NotThisActor(QuestionError):
    """Whoever asks may see the review, but not do that."""

    code = "not_allowed"


class ReviewUnknown(NotFound):
    """There is no such review, or none that whoever asks may see."""

    remedy = "GET /reviews lists those that you may see."

    def __init__(self, review_id: str) -> None:
        super().__init__(f"there is no review {review_id[:60]!r}, or none of yours", value=review_id)


class PublisherUnknown(NotFound):
    """No review that this one may see is for that publisher."""

    def __init__(self, text: str) -> None:
        super().__init__(f"no review here names the publisher {text[:128]}: GET /reviews shows those that there are",
                         value=text[:128])  # fmt: skip
