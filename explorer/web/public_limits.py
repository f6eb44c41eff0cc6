"""Every public limit as one document: the answer of `GET /config`."""

from explorer.access.idempotency import KEPT as KEPT_ANSWERS
from explorer.access.views import MOST_VIEWS
from explorer.alerts.endpoints import MOST_WEBHOOKS
from explorer.index.feed import KEPT_EVENTS, KEPT_FOR
from explorer.reviews.changes import MOST_COMMENTS, MOST_RESULTS, MOST_ROUNDS
from explorer.reviews.deciding import MOST_QUESTIONS
from explorer.reviews.desk import DEADLINE, REMINDER
from explorer.reviews.policies import MAXIMUM_BYTES
from explorer.reviews.requests import JOB_BYTES, JOB_DEPTH
from explorer.signatures.http_messages import TOLERANCE
from explorer.web.buckets import Rate
from explorer.web.caching import HEAD_MAX_AGE_S, MAX_AGE_S
from explorer.web.config import Limits, WebConfig
from explorer.web.idempotency import LARGEST_ANSWER_BYTES
from explorer.web.ports import Document


def public_limits(config: WebConfig) -> Document:
    """The document `Config`. Reads have no rate."""
    return {
        "network": config.network,
        "public_url": config.public_url,
        "limits": _of_answers(config.limits),
        "cache": {"head_max_age_seconds": HEAD_MAX_AGE_S, "max_age_seconds": MAX_AGE_S},
        "rates": {
            "reads": None,
            "key": _rate(config.limits.key_rate),
            "session": _rate(config.limits.session_rate),
            "wrong_credentials": _rate(config.limits.stranger_rate),
        },
        "requests": {
            "signature_tolerance_seconds": TOLERANCE.total_seconds(),
            "idempotency_key_kept_seconds": KEPT_ANSWERS.total_seconds(),
            "idempotent_answer_bytes": LARGEST_ANSWER_BYTES,
        },
        "reviews": _of_reviews(),
        "webhooks": MOST_WEBHOOKS,
        "views": MOST_VIEWS,
    }


def _of_answers(limits: Limits) -> Document:
    return {
        "cids_per_request": limits.cids_per_request,
        "body_bytes": limits.body_bytes,
        "evidence_page_size": limits.page_size,
        "evidence_page_size_max": limits.page_size_max,
        "request_line_bytes": limits.request_line_bytes,
        "header_bytes": limits.header_bytes,
        "body_timeout_seconds": limits.body_timeout_s,
        "answer_timeout_seconds": limits.answer_timeout_s,
        "downloads": limits.downloads,
        "event_streams": limits.event_streams,
        "event_heartbeat_seconds": limits.event_heartbeat_s,
        "event_write_timeout_seconds": limits.event_write_timeout_s,
        "events_kept": KEPT_EVENTS,
        "events_kept_seconds": KEPT_FOR.total_seconds(),
    }


def _of_reviews() -> Document:
    return {
        "job_bytes": JOB_BYTES,
        "job_depth": JOB_DEPTH,
        "requested_bytes": str(MAXIMUM_BYTES),
        "comments": MOST_COMMENTS,
        "questions": MOST_QUESTIONS,
        "results": MOST_RESULTS,
        "rounds": MOST_ROUNDS,
        "deadline_seconds": DEADLINE.total_seconds(),
        "reminder_seconds": REMINDER.total_seconds(),
    }


def _rate(rate: Rate) -> Document:
    return {"per_minute": rate.per_minute, "burst": rate.burst}
