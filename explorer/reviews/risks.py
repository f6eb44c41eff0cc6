"""What a notary should look at before deciding, each as a sentence with a tone. Pure.

Nothing here decides: rules that do are in `policies`. What nobody knows is said as not known, never as good.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from explorer.reviews.job_reading import NOTHING_SAID, JobSays
from explorer.reviews.job_risks import risks_of_names, risks_of_work
from explorer.reviews.policies import FAR, amount_said
from explorer.reviews.tones import Risk, Tone

MANY_COPIES: Final = 10
"""So many copies of a piece are much: the programme's own guidance asks for fewer than that."""
FAR_BEHIND: Final = timedelta(hours=1)
"""So old may the newest epoch of the index be before its verdicts are called old."""
_NAMED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What the index knows of one input now. `clients` and `providers` are those of its records that were read."""

    cid: str
    clients: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    active_copies: int = 0


@dataclass(frozen=True, slots=True)
class Shared:
    """How many other reviews name the data of the input at `place` (from 1), or of any input where that is None.

    By how many clusters they are, for how many publishers, and for how many that are not this review's.
    """

    place: int | None
    reviews: int
    clusters: int
    publishers: int
    strangers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A review as far as its risks go. `inputs` are the first, whose records were read; `earlier` counts states."""

    names: Sequence[tuple[str, str]]
    """What strangers chose: what it is, and the text."""
    job: JobSays = NOTHING_SAID
    exit_code: int | None = None
    """What the newest results say."""
    index_age: timedelta | None = None
    """How old the newest epoch of the index is; None where that is not known, or the chain has a time of its own."""
    requested_bytes: int
    results_bytes: int | None
    is_proven: bool
    intake: Sequence[str]
    """The verdict of each input at the intake."""
    now: Sequence[str] = ()
    """The verdicts of the first inputs now."""
    publisher_id: str | None = None
    """The publisher as records name parties, f0…; None where nobody told."""
    inputs: Sequence[Input]
    earlier: Mapping[str, int]
    findings: Sequence[Mapping[str, str]] = ()
    shared: Sequence[Shared] = ()
    """Other reviews that name the same data: all together, then by input; empty where nothing could be counted."""
    shared_most: int = 0
    """So many are counted at most."""
    is_cluster_revoked: bool = False


def risks_of(case: Case) -> list[Risk]:
    """Everything there is to say, the worst first."""
    found = [
        *risks_of_names(case.names, case.job),
        *risks_of_work(case.job, case.exit_code),
        *_of_index(case),
        *_of_cluster(case),
        *_of_proof(case),
        *_of_policy(case),
        *_of_amount(case),
        *_of_intake(case),
        *_of_now(case),
        *_of_sharing(case),
        *_of_clients(case),
        *_of_copies(case),
        *_of_parties(case),
        *_of_publisher(case),
    ]
    order = list(Tone)
    return sorted(found, key=lambda risk: order.index(risk.tone))


def _of_index(case: Case) -> Iterator[Risk]:
    if case.index_age is not None and case.index_age > FAR_BEHIND:
        hours = int(case.index_age / timedelta(hours=1))
        old = _of(hours, "hour") if hours < 48 else f"{hours // 24:,} days"
        yield Risk(Tone.LOOK, f"the verdicts are {old} old: the index is behind the chain")


def _of_cluster(case: Case) -> Iterator[Risk]:
    if case.is_cluster_revoked:
        yield Risk(Tone.LOOK, "the cluster that asks was revoked since: ask the operator whether this request is meant")


def _of_proof(case: Case) -> Iterator[Risk]:
    if case.is_proven:
        yield Risk(Tone.GOOD, "the publisher has proved by signature to hold its address")
    else:
        yield Risk(Tone.LOOK, "nobody has proved yet to hold the publisher's address: no approval before that")


def _of_policy(case: Case) -> Iterator[Risk]:
    tones = {"note": Tone.UNKNOWN, "more_approvals": Tone.LOOK, "reject": Tone.BAD}
    for one in case.findings:
        if one["rule"] != "far_above_results":  # said by the amount
            yield Risk(tones[one["effect"]], one["text"])


def _of_amount(case: Case) -> Iterator[Risk]:
    asked, results = case.requested_bytes, case.results_bytes
    if results is None:
        yield Risk(Tone.UNKNOWN, "how large the results are is not known, so the amount can't be compared with them")
        return
    if not results:
        yield Risk(Tone.BAD if asked else Tone.LOOK, f"{_said(asked)} is asked for, but the results are empty")
        return
    copies = asked / results
    tone = Tone.BAD if copies > FAR else Tone.GOOD if 1 <= copies <= MANY_COPIES else Tone.LOOK
    said = f"{_said(asked)} is asked for results of {_said(results)}"
    yield Risk(tone, f"{said}: enough for {_copies(copies)}")


def _said(amount: int) -> str:
    return amount_said(amount) if amount else "nothing"


def _copies(copies: float) -> str:
    if copies < 1:
        return "less than one copy"
    whole = int(copies)
    return "one copy" if whole == 1 else f"{whole:,} copies"


def _of_intake(case: Case) -> Iterator[Risk]:
    total, active = len(case.intake), sum(verdict == "active" for verdict in case.intake)
    if active == total:
        yield Risk(Tone.GOOD, f"{'every' if total > 1 else 'the'} input was FIL+ when it was asked")
    else:
        yield Risk(Tone.LOOK, f"{total - active} of {total} inputs were not FIL+ when it was asked")


def _of_sharing(case: Case) -> Iterator[Risk]:
    """Whether others asked with the same data, which is no fault, but may be the same work asked for twice."""
    if not case.shared:
        yield Risk(Tone.UNKNOWN, "whether other reviews name the same data is not known: no input is data of its own")
        return
    total = case.shared[0]
    if not total.reviews:
        yield Risk(Tone.GOOD, f"no other review here names {_inputs(case, 'the input', 'any of the inputs')}")
        return
    most = "at least " if total.reviews >= case.shared_most else ""
    reviews = "1 other review names" if total.reviews == 1 else f"{most}{total.reviews:,} other reviews name"
    what = _inputs(case, "the same input", "some of the same inputs")
    whom = f"for {_of(total.strangers, 'other publisher')}" if total.strangers else "all for this publisher"
    yield Risk(Tone.LOOK, f"{reviews} {what}: by {_of(total.clusters, 'cluster')}, {whom}")


def _of(number: int, noun: str) -> str:
    return f"one {noun}" if number == 1 else f"{number:,} {noun}s"


def _of_now(case: Case) -> Iterator[Risk]:
    lost = sum(was == "active" != now for was, now in zip(case.intake, case.now, strict=False))
    if lost:
        tense = "was FIL+ when it was asked, and isn't" if lost == 1 else "were FIL+ when it was asked, and aren't"
        yield Risk(Tone.LOOK, f"{lost:,} of {_asked_anew(case)} {tense} any more")


def _asked_anew(case: Case) -> str:
    few = len(case.now) < len(case.intake)
    return f"the first {len(case.now):,} inputs" if few else _inputs(case, "1 input", f"{len(case.now):,} inputs")


def _of_clients(case: Case) -> Iterator[Risk]:
    most = max(case.inputs, key=lambda one: len(one.clients), default=None)
    if most is None or not most.clients:
        yield Risk(Tone.UNKNOWN, "which clients stored the inputs is not known")
    elif len(most.clients) == 1:
        several = f"each of {_first(case)}" if len(case.inputs) < len(case.intake) else "each input"
        yield Risk(Tone.GOOD, f"one client stored {_inputs(case, 'the input', several)}")
    else:
        named = _named(most.clients)
        yield Risk(Tone.LOOK, f"{len(most.clients)} clients ({named}) spent DataCap on the same input {_cut(most.cid)}")


def _of_copies(case: Case) -> Iterator[Risk]:
    most = max(case.inputs, key=lambda one: one.active_copies, default=None)
    if most is None:
        return
    copies, where = most.active_copies, len(most.providers)
    records = "active record" if copies == 1 else "active records"
    at = f" at {where} {'provider' if where == 1 else 'providers'}" if where else ""
    if copies > MANY_COPIES:
        yield Risk(
            Tone.LOOK, f"the input {_cut(most.cid)} has {copies:,} {records}{at}: more than {MANY_COPIES} copies"
        )
    elif copies:
        several = f"none of {_first(case)}" if len(case.inputs) < len(case.intake) else "no input"
        yield Risk(Tone.GOOD, f"{_inputs(case, 'the input has', f'{several} has more than')} {copies} {records}{at}")


def _of_parties(case: Case) -> Iterator[Risk]:
    both = {party for one in case.inputs for party in one.clients & one.providers}
    if both:
        yield Risk(Tone.BAD, f"{_named(both)} is client and provider of the same input")
    if case.publisher_id is None:
        yield Risk(Tone.UNKNOWN, "whether the publisher is also the inputs' client or provider is not known: records "
                                 "name parties by actor id, and the publisher's is not known here")  # fmt: skip
        return
    clients = {party for one in case.inputs for party in one.clients}
    providers = {party for one in case.inputs for party in one.providers}
    roles = [role for role, found in (("client", clients), ("provider", providers)) if case.publisher_id in found]
    if roles:
        yield Risk(Tone.LOOK, f"the publisher, {case.publisher_id}, is itself {' and '.join(roles)} of the data")
    elif clients or providers:
        yield Risk(Tone.GOOD, f"the publisher, {case.publisher_id}, is neither client nor provider in the records that "
                              "were read")  # fmt: skip


def _of_publisher(case: Case) -> Iterator[Risk]:
    total = sum(case.earlier.values())
    if not total:
        yield Risk(Tone.LOOK, "a new address: no other review here names this publisher")
        return
    words = ", ".join(f"{number} {state}" for state, number in sorted(case.earlier.items()))
    tone = Tone.LOOK if case.earlier.get("rejected") else Tone.GOOD
    yield Risk(tone, f"the publisher has {total} other {'review' if total == 1 else 'reviews'} here: {words}")


def _inputs(case: Case, one: str, several: str) -> str:
    return one if len(case.intake) == 1 else several


def _first(case: Case) -> str:
    return f"the first {len(case.inputs)} inputs"


def _named(parties: frozenset[str] | set[str]) -> str:
    shown = sorted(parties)[:_NAMED]
    return ", ".join(shown) + (" and others" if len(parties) > _NAMED else "")


def _cut(cid: str) -> str:
    return cid if len(cid) <= 21 else f"{cid[:10]}…{cid[-8:]}"
