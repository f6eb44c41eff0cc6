"""Every page that there is, with what it says: the one list for what has to hold everywhere."""

from dataclasses import dataclass
from urllib.parse import quote

from tests.e2e.dashboard import FILPLUS_CID, PAST_CID, RESULTS, Dashboard
from tests.e2e.fake_index import ACTIVE, EVIL_LABEL, NONE, PAST, PAYLOAD, PENDING, UNKNOWN
from tests.e2e.party_index import CLIENT, NOBODY, PROVIDER
from tests.unit.signatures.builders import OTHER_F1, PUBLISHER_F1

PROBLEM = ""
"""Stands for the operation of a page that says that there is none."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: its operation in the contract, its address, words of its heading and of its content."""

    operation: str
    path: str
    heading: str
    says: str


INDEX = (
    Shown("getHome", "/", "Is this CID", "On record"),
    Shown("getSearch", "/search", "What are you looking for?", "A CID in any form"),
    Shown("getCid", f"/cid/{ACTIVE}", ACTIVE, "FIL+ since 16 January 2024: 9 claims and 2 deals"),
    Shown("getVerdict", f"/cid/{ACTIVE}/filplus?at_epoch=4500000&limit=3", ACTIVE, "As of epoch 4500000"),
    Shown("getCid", f"/cid/{PAST}", PAST, "Was FIL+ from"),
    Shown("getCid", f"/cid/{PENDING}", PENDING, "waiting for 2 allocations to be claimed"),
    Shown("getCid", f"/cid/{NONE}", NONE, "Not FIL+: nothing on record counts"),
    Shown("getCid", f"/cid/{UNKNOWN}", UNKNOWN, "Not known: nothing that counts was found"),
    Shown("getCid", f"/cid/{PAYLOAD}", PAYLOAD, "Which pieces"),
    Shown("getStatus", "/status", "Can I rely on it?", "with gaps"),
    Shown("getDocs", "/docs", "API", "Problem codes"),
    Shown("getDeal", "/deals/61000001", "61000001", "What the client wrote"),
    Shown("getClaim", "/claims/87884600", "87884600", "Term starts"),
    Shown("getAllocation", "/allocations/90000001", "90000001", "To be claimed by"),
    Shown(PROBLEM, "/cid/no", "Not a CID", "malformed_cid"),
    Shown(PROBLEM, "/nothing", "Nothing here", "not_found"),
    Shown(PROBLEM, "/search?q=" + quote(EVIL_LABEL), "Not a CID", "malformed_cid"),
    Shown(PROBLEM, "/deals/99", "Nothing here", "not_found"),
    Shown(PROBLEM, "/auth/verify", "This address has other methods", "method_not_allowed"),
)
"""Of an index in memory."""

RETIRED = (
    Shown("getHome", "/", "Is this CID", "What was FIL+ stays on record here."),
    Shown(PROBLEM, "/cid/no", "Not a CID", "malformed_cid"),
)
"""Of a simulated network whose FIL+ has ended, with a band for each on top."""

PARTIES = (
    Shown("getClient", f"/clients/{CLIENT}", CLIENT, "DataCap by month"),
    Shown("getProvider", f"/providers/{PROVIDER}", PROVIDER, "By client"),
    Shown("getClient", f"/clients/{NOBODY}", NOBODY, "Nothing to show yet"),
    Shown("getAllocator", f"/allocators/{CLIENT}", CLIENT, "Grants"),
    Shown("getClientTable", f"/clients/{CLIENT}/claims?limit=6", "Claims", "Next page"),
    Shown("getClientTable", f"/clients/{CLIENT}/deals?limit=6", "Verified deals", "Next page"),
    Shown("getClientTable", f"/clients/{CLIENT}/allocations", "Allocations", "pending"),
    Shown("getClientTable", f"/clients/{CLIENT}/statuses", "By status", "expired"),
    Shown("getClientTable", f"/clients/{CLIENT}/months", "DataCap by month", "2024-"),
    Shown("getClientTable", f"/clients/{CLIENT}/copies", "Replicas", "none active"),
    Shown("getClientTable", f"/clients/{CLIENT}/providers", "By provider", PROVIDER),
    Shown("getProviderTable", f"/providers/{PROVIDER}/clients", "By client", CLIENT),
    Shown(PROBLEM, "/clients/no", "Not an address", "malformed_address"),
)
"""Of an index of parties, with long tables and hostile labels."""

STRANGER = (
    Shown("getSignIn", "/sign-in", "Sign in as a notary", "With a key elsewhere"),
    Shown("getSignIn", f"/sign-in?address={OTHER_F1}", "Sign in as a notary", "Sign this text"),
    Shown("getSignIn", "/sign-in?address=f01", "Sign in as a notary", "Your address"),
    Shown("getReviews", "/reviews", "Sign in as a notary", "With a key elsewhere"),
    Shown("getReview", "/reviews/{open}", "Sign in as a notary", "With a key elsewhere"),
    Shown(PROBLEM, "/webhooks", "Who are you?", "credentials_missing"),
)
"""Of a service with reviews, to somebody whom it doesn't know."""

NOTARY = (
    Shown("getReviews", "/reviews", "for you", "regrid-"),
    Shown("getReviews", "/reviews?state=open", "review", "regrid-"),
    Shown("getReviews", "/reviews?cluster=!berlin", "Reviews", "No review is as you asked"),
    Shown("getReview", "/reviews/{open}", "regrid-", "What to look at"),
    Shown("getReview", "/reviews/{open}?decide=approve", "regrid-", "What you sign"),
    Shown("getReview", "/reviews/{open}?decide=reject", "regrid-", "Why not, in a sentence"),
    Shown("getReview", "/reviews/{open}?decide=ask", "regrid-", "Your question"),
    Shown("getReview", "/reviews/{hostile}", "xxxx", "not proved"),
    Shown("getReview", "/reviews/{approved}", "regrid-", "waits for DataCap"),
    Shown("getReview", "/reviews/{rejected}", "regrid-", "rejected"),
    Shown("getPublisher", f"/publishers/{PUBLISHER_F1}", "f1", "Its reviews"),
    Shown("getNotary", f"/notaries/{OTHER_F1}", "Ben", "seen elsewhere"),
    Shown("getMe", "/me", "Ben", "Where you are signed in"),
    Shown("getViews", "/views", "Saved views", "None yet"),
    Shown("getAudit", "/audit", "Who did what", "Verified"),
    Shown("getAudit", "/audit?subject={approved}", "Who did what", "review.decided"),
    Shown("getAudit", "/audit?subject=nobody", "Who did what", "No entry is as you asked"),
    Shown(PROBLEM, "/reviews?publisher=x", "Reviews", "Not an address"),
    Shown(PROBLEM, "/reviews/rev_none", "Nothing here", "not_found"),
    Shown(PROBLEM, "/webhooks", "You may not do that", "scope_missing"),
)
"""Of a service with reviews, to a notary who is signed in."""

TROUBLED = (
    Shown(PROBLEM, "/", "The database does not answer", "database_unavailable"),
    Shown(PROBLEM, "/me", "Too many requests", "At the earliest in"),
    Shown(PROBLEM, "/events", "No such representation", "not_acceptable"),
)
"""Of a service without its database, to a browser that takes nothing but pages, from where too many wrong keys came."""

EVERY = INDEX + RETIRED + PARTIES + STRANGER + NOTARY + TROUBLED


def report_reviews(dashboard: Dashboard) -> dict[str, str]:
    """The ids by which the addresses of the pages name reviews: one that waits, decided ones, one of long words."""
    waiting = dashboard.report(cids=[FILPLUS_CID, PAST_CID], requested_bytes=str(1 << 50))
    approved, rejected = dashboard.report(), dashboard.report()
    dashboard.decide_elsewhere(approved, "approve")
    dashboard.decide_elsewhere(rejected, "reject")
    job = {"Name": "y" * 300, "Tasks": [{"Name": EVIL_LABEL, "Engine": {"Type": "z" * 200}}]}
    results = RESULTS | {"exit_code": 1, "log_tail": "l" * 500}
    job_id = "\u0445" + "x" * 119 + str(dashboard.number)
    hostile = dashboard.report(job_id=job_id, job=job, results=results, proven=False)
    reviews = {"open": waiting, "approved": approved, "rejected": rejected, "hostile": hostile}
    return {name: review["id"] for name, review in reviews.items()}
