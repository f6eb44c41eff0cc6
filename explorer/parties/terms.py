"""What a count rests on beside the records. Pure."""

from dataclasses import dataclass
from typing import Any

from explorer.index.answers import Standpoint
from explorer.verdict.rules import Holding, Moment
from node.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The epoch that statuses are told as of, and what the rules must know of it."""

    network: Network
    epoch: int
    retires_at_epoch: int | None
    claims_cover: bool

    def moment(self, claimed: frozenset[Holding] = frozenset()) -> Moment:
        """The moment of the rules, with who has claimed what."""
        return Moment(
            epoch=self.epoch,
            nv22_epoch=self.network.nv22_epoch,
            retires_at_epoch=self.retires_at_epoch,
            claims_cover=self.claims_cover,
            claimed=claimed,
        )

    def lasting(self) -> dict[str, Any]:
        """What does not change with every epoch, to be kept beside a count."""
        return {
            "nv22_epoch": self.network.nv22_epoch,
            "retires_at_epoch": self.retires_at_epoch,
            "claims_cover": self.claims_cover,
        }


def terms_of(standpoint: Standpoint) -> Terms | None:
    """The terms of an answer; None where the index is empty."""
    if standpoint.epoch is None:
        return None
    return Terms(
        network=standpoint.network,
        epoch=standpoint.epoch,
        retires_at_epoch=standpoint.milestones.retires_at_epoch,
        claims_cover=standpoint.coverage.covers("claims", standpoint.epoch),
    )
