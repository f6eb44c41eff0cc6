"""`/reviews/{id}` for a browser: what is asked, what is known of it, and where one decides."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from aiohttp import web

from explorer.access.actors import Actor, ActorKind
from explorer.errors import QuestionError
from explorer.reviews import deciding, queue
from explorer.reviews.desk import Desk
from explorer.reviews.dossier import Dossier, load_dossier
from explorer.reviews.tones import Tone
from explorer.signatures.errors import SignedTextError
from explorer.web.evidence import VERDICT_LABELS, spans_of
from explorer.web.formats import document_clock
from explorer.web.job_words import job_words
from explorer.web.keys import RENDERER
from explorer.web.notary_view import notary_view, private_page
from explorer.web.pages import live_view
from explorer.web.parties import actor_id_soon
from explorer.web.ports import Document
from explorer.web.problems import Problem
from explorer.web.sentences import headline
from explorer.web.timeline import timeline_of
from explorer.web.written import SHOWN_CHARS, read_json_text, shown_document, shown_log, visible_lines

RISK_LABELS: Final = {
    Tone.BAD: ("Warning", "bad"),
    Tone.LOOK: ("Look", "wait"),
    Tone.UNKNOWN: ("Not known", "open"),
    Tone.GOOD: ("Fine", "good"),
}
SHOWN_INPUTS: Final = 100
SHOWN_OUTPUTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a form brought that wasn't taken, and why; nothing at first."""

    comment: str = ""
    message: str = ""
    signature: str = ""
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The decision that is being made: its word, the text to sign where there is one, or why there is none.

    `impediment` says why the notary has nothing to decide, now or later in the round.
    """

    decision: str | None = None
    impediment: str | None = None
    message: str | None = None
    refusal: str | None = None
    typed: Typed = field(default_factory=Typed)


async def review_page(
    request: web.Request, desk: Desk, actor: Actor, review_id: str, *, decide: str | None, typed: Typed | None = None
) -> web.StreamResponse:
    """The page. `decide` opens the form of a decision; `typed` fills it again after it wasn't taken."""
    live = live_view(request, {"review": review_id})
    dossier = await load_dossier(desk, actor, review_id, actor_id_of=partial(actor_id_soon, request))
    step = await _step(desk, actor, dossier.review, decide, typed or Typed())
    following = await queue.load_next(desk, actor, dossier.review) if actor.kind is ActorKind.NOTARY else None
    problem = step.typed.problem
    status = 200 if problem is None else problem.kind.status
    return await private_page(
        request, partial(_rendered, request, dossier, step, actor, live, following), status=status
    )


async def _step(desk: Desk, actor: Actor, review: Document, decide: str | None, typed: Typed) -> Step:
    if actor.kind is not ActorKind.NOTARY:
        return Step(typed=typed)
    if review["state"] != "open":
        refusal = None if decide is None else f"the review is {review['state']}, no longer open"
        return Step(decision=decide, refusal=refusal, typed=typed)
    impediment = await deciding.impediment(desk, actor, review["id"])
    if impediment is not None:
        return Step(decision=decide, impediment=impediment, refusal=impediment, typed=typed)
    if decide is None or decide == "ask":
        return Step(decision=decide, typed=typed)
    return await _signed_step(desk, actor, review["id"], decide, typed)


async def _signed_step(desk: Desk, actor: Actor, review_id: str, decide: str, typed: Typed) -> Step:
    """A decision by signature: with the text that was signed already, else with a new one."""
    if typed.message:
        return Step(decision=decide, message=typed.message, typed=typed)
    try:
        text = await deciding.approval_text(desk, actor, review_id, decide, None)
    except (QuestionError, SignedTextError) as error:
        return Step(decision=decide, refusal=str(error), typed=typed)
    return Step(decision=decide, message=text["message"], typed=typed)


def _rendered(
    request: web.Request, dossier: Dossier, step: Step, actor: Actor, live: Document, following: Document | None
) -> str:
    """The page as text, made in a thread: a job may have a megabyte."""
    review, job = dossier.review, read_json_text(dossier.job)
    own = [one for one in review["decisions"] if one["notary"] == actor.id and one["round"] == review["round"]]
    return request.app[RENDERER].page(
        "review.html",
        clock=document_clock(review["inputs_as_of"]),
        review=review,
        actor=notary_view(actor),
        step=step,
        following=following,
        own=own,
        approvals=[one for one in _of_round(review) if one["decision"] == "approve"],
        job=job_words(job),
        document=shown_document(job),
        shown_chars=SHOWN_CHARS,
        job_bytes=len(dossier.job.encode()),
        inputs=_inputs(dossier),
        changed=len(_changed(dossier)),
        as_posted=len(review["inputs"]) - len(dossier.now),
        hidden_inputs=max(0, len(review["inputs"]) - SHOWN_INPUTS),
        results=_results(review["results"]),
        said=_said(review),
        dossier=dossier,
        risks=[(*RISK_LABELS[risk.tone], risk.text) for risk in dossier.risks],
        worst=_worst(dossier),
        lines=visible_lines,
        live=live,
        here=f"/reviews/{review['id']}" + (f"?decide={step.decision}" if step.decision else ""),
    )


def _of_round(review: Document) -> list[Document]:
    return [one for one in review["decisions"] if one["round"] == review["round"]]


def _worst(dossier: Dossier) -> tuple[int, int]:
    """How many sentences are warnings, and how many want a look."""
    tones = [risk.tone for risk in dossier.risks]
    return tones.count(Tone.BAD), tones.count(Tone.LOOK)


def _changed(dossier: Dossier) -> list[int]:
    """The places of the inputs whose verdict is another one than when the review was posted."""
    inputs = dossier.review["inputs"]
    return [place for place, verdict in enumerate(dossier.now) if verdict != inputs[place]["verdict"]]


def _inputs(dossier: Dossier) -> list[dict[str, Any]]:
    """The inputs with their verdict of the intake, those first that have another one now; of the first the evidence."""
    inputs, changed = dossier.review["inputs"], _changed(dossier)
    places = [*changed, *sorted(set(range(min(len(inputs), SHOWN_INPUTS + len(changed)))) - set(changed))]
    return [_input_view(dossier, place) for place in places[:SHOWN_INPUTS]]


def _input_view(dossier: Dossier, place: int) -> dict[str, Any]:
    one = dossier.review["inputs"][place]
    is_changed = place < len(dossier.now) and dossier.now[place] != one["verdict"]
    return {
        "place": place,
        "cid": one["cid"],
        "at_intake": VERDICT_LABELS[one["verdict"]],
        "now": VERDICT_LABELS[dossier.now[place]] if is_changed else None,
        "evidence": _verdict_view(dossier.verdicts[place]) if place < len(dossier.verdicts) else None,
    }


def _verdict_view(verdict: Document) -> dict[str, Any]:
    clock, epoch = document_clock(verdict["as_of"]), verdict["as_of"]["epoch"]
    spans = spans_of(verdict["evidence"], asked_epoch=epoch)
    return {
        "headline": headline(verdict, clock),
        "timeline": timeline_of(spans[:12], asked_epoch=epoch, clock=clock),
        "hidden": max(0, len(spans) - 12),
    }


def _results(results: Document | None) -> dict[str, Any] | None:
    if results is None:
        return None
    outputs = results["outputs"]
    sizes = [one["size_bytes"] for one in outputs if one["size_bytes"] is not None]
    return {
        **results,
        "outputs": outputs[:SHOWN_OUTPUTS],
        "hidden": max(0, len(outputs) - SHOWN_OUTPUTS),
        "total": len(outputs),
        "size_bytes": sum(sizes) if sizes else None,
        "log": None if results["log_tail"] is None else shown_log(results["log_tail"]),
    }


def _said(review: Document) -> list[dict[str, Any]]:
    """What was said, the oldest first: comments and decisions in one row."""
    comments = [
        {"at": one["at"], "name": one["by"]["name"], "kind": one["by"]["kind"], "id": one["by"]["id"],
         "what": "comment", "text": one["comment"], "round": None, "is_signed": False}
        for one in review["comments"]
    ]  # fmt: skip
    decisions = [
        {"at": one["at"], "name": one["notary_name"], "kind": "notary", "id": one["notary"],
         "what": one["decision"], "text": one["comment"], "round": one["round"],
         "is_signed": one["signature"] is not None, "message": one["message"], "signature": one["signature"]}
        for one in review["decisions"]
    ]  # fmt: skip
    return sorted([*comments, *decisions], key=lambda one: one["at"])
