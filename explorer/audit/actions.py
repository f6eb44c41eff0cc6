"""What the log tells of: the names of all that is done. A new kind of entry gets its name here."""

from typing import Final

ACTIONS: Final = (
    "cluster.added",
    "cluster.key_revoked",
    "cluster.revoked",
    "cluster.rotated",
    "notary.added",
    "notary.revoked",
    "notary.signed_in",
    "notary.signed_out",
    "review.asked",
    "review.commented",
    "review.decided",
    "review.expired",
    "review.expiring",
    "review.proved",
    "review.rejected",
    "review.reopened",
    "review.requested",
    "review.results",
    "review.withdrawn",
    "webhook.added",
    "webhook.enabled",
    "webhook.removed",
    "webhook.replayed",
    "webhook.rotated",
)
"""Logs may hold others, that earlier releases wrote."""
