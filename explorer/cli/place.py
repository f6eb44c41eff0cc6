"""The explorer that somebody decides at, as they named it themselves; and the texts that it sends to be signed.

What a server sends is signed only where it says what was asked for: this review, this decision, this network, this
explorer, this key. A text of another explorer, passed on by one that lies, names that other one's domain.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from explorer.access.origin import origin_of
from explorer.cli.terminal import Terminal, plain
from explorer.errors import NotFound, ServiceUnreachable
from explorer.ground.service_file import running_service
from explorer.signatures.errors import AlteredText, OtherDomain, OtherNetwork, OtherText
from explorer.signatures.facts import Decision, Facts, PublisherProof, SignIn
from explorer.signatures.texts import facts_of
from explorer.signatures.values import is_loopback
from explorer.signatures.verify import read_decision, read_proof, read_sign_in
from node.address import Address

_REVIEW_ID = re.compile(r"rev_[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)
LONGEST = timedelta(days=1)
"""For so long a signature under a sign-in or a decision may be of use; nobody's needs longer."""


@dataclass(frozen=True, slots=True)
class Place:
    """An explorer's address, the network it is to be of, and the domains that its texts may name."""

    url: str
    network: str
    domains: tuple[str, ...]

    def sign_in(self, answer: Mapping[str, Any], signer: Address) -> str:
        """The text of an answer, which signs `signer` in here; a SignatureRefused where it says anything else."""
        text, now = _text(answer), datetime.now(UTC)
        facts = read_sign_in(text, network=self.network, domain=self._domain(text), now=now, signer=signer)
        _demand_short(facts, now)
        return text

    def decision(
        self,
        answer: Mapping[str, Any],
        *,
        decision: str,
        review_id: str,
        signer: Address,
        publisher: Address | None,
        requested_bytes: int | None,
    ) -> tuple[str, Decision]:
        """The text of an answer, which decides so on that review, and its facts; else a SignatureRefused."""
        text, now = _text(answer), datetime.now(UTC)
        facts = read_decision(
            text,
            decision=decision,
            review_id=review_id,
            network=self.network,
            domain=self._domain(text),
            now=now,
            publisher=publisher,
            requested_bytes=requested_bytes,
            signer=signer,
        )
        _demand_short(facts, now)
        return text, facts

    def proof(self, answer: Mapping[str, Any], *, cluster: str | None, job_id: str | None) -> str:
        """The text of an answer, which proves a publisher's address; a SignatureRefused where it says anything else."""
        text = _text(answer)
        self._demand_network(facts_of(text))
        read_proof(text, network=self.network, now=datetime.now(UTC), cluster=cluster, job_id=job_id)
        return text

    def _domain(self, text: str) -> str:
        """The domain that a text names, which has to be this explorer's."""
        facts = facts_of(text)
        self._demand_network(facts)
        if isinstance(facts, PublisherProof):
            raise OtherText(f"{self.url} sent a publisher's proof, where another text was asked for")
        if facts.domain not in self.domains:
            raise OtherDomain(
                f"{self.url} sent a text for the explorer at {facts.domain}; a signature under it would count there."
                f" If that is the same explorer, add --domain {facts.domain}"
            )
        return facts.domain

    def _demand_network(self, facts: Facts) -> None:
        if facts.network != self.network:
            raise OtherNetwork(
                f"{self.url} is of the network {facts.network}, you are on {self.network};"
                f" add --network {facts.network} if that is the one you mean"
            )


def _text(answer: Mapping[str, Any]) -> str:
    message = answer["message"]
    if not isinstance(message, str):
        raise OtherText("the explorer sent something else than a text to be signed")
    return message


def _demand_short(facts: SignIn | Decision, now: datetime) -> None:
    if facts.expires_at - now > LONGEST:
        raise AlteredText(f"the text would hold until {facts.expires_at:%Y-%m-%d %H:%M} UTC: too long to be signed")


def demand_review_id(text: str) -> str:
    """The id, if it can be one of a review; NotFound otherwise, before anybody is asked."""
    if _REVIEW_ID.fullmatch(text) is None:
        raise NotFound(f"{plain(text)[:60]!r} is no review's id: `filplus review list` shows them")
    return text


def place_of(terminal: Terminal, *, network: str | None = None, domain: str | None = None) -> Place:
    """The explorer named by --url, the settings, or the data directory's service.json; ServiceUnreachable without any.

    Its texts may name the domain of that address, or `domain`; of FILPLUS_PUBLIC_URL on the explorer's own machine.
    """
    settings = terminal.settings({"network": network, "url": terminal.url})
    url = settings.url or running_service(settings.data_dir)
    if url is None:
        raise ServiceUnreachable(
            f"no explorer is named, and none runs on {settings.data_dir}: give --url or FILPLUS_URL, or `filplus serve`"
        )
    domains = [origin_of(url).domain]
    if settings.public_url is not None and is_loopback(domains[0]):
        domains.append(origin_of(settings.public_url).domain)
    return Place(url, settings.network.name, tuple(domains if domain is None else [*domains, domain]))
