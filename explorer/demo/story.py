"""What the demo asks, what it has happen on the simulated chain, and what it expects to hear."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

DUMPS = ("claims.json", "deals.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One question of the story: why it is asked, in which spellings, and the verdict that must come."""

    title: str
    lesson: str
    cids: tuple[str, ...]
    verdict: str


CHAPTERS = (
    Chapter(
        title="A piece that a provider claimed",
        lesson="Claims of the verified registry name pieces. This one was claimed in January 2025.",
        cids=("baga6ea4seaqepbqg7dxrdphrvusy3pmc5lelcczwwi5nydduyog655wgnby4ijq",),
        verdict="active",
    ),
    Chapter(
        title="A payload CID, in three encodings",
        lesson="A deal's client wrote it into the deal's label, as base64. It is matched by its hash, not as text.",
        cids=(
            "mAXCg5AIgrlxdhtWlQYd+xRf20UUMrzw+Gn9F8LogoloEJ0xWvBM",
            "zDMZof1m1b6EQu7M4ahneN4kC5Jfkb9Z8eCGP8GqWZGeopmbwrLJ",
            "ipfs://bafykbzacecxfyxmg2wsudb36yul7nukfbsxtypq2p5c7boraujnaij2mk26bg",
        ),
        verdict="active",
    ),
    Chapter(
        title="A piece whose deal is over",
        lesson="It was FIL+, which is not the same as never.",
        cids=("baga6ea4seaqep2hh4vdeqhib6nuydmjw3wg6gc56xxa6ekfo6vfzjr2ylvvludi",),
        verdict="past",
    ),
    Chapter(
        title="A payload CID that can't be known",
        lesson='Only part of the state was imported, and newer data bears no label: "not known" is not "no".',
        cids=("bafybeif53axbvb3gbbidww37e36kahbfzui4ypp44uqyjs7bvrdmvjesfq",),
        verdict="unknown",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happens on the chain: in words, as the chain is told it, and the verdict of PIECE after it."""

    title: str
    lesson: str
    verb: str
    params: tuple[Any, ...]
    verdict: str


PIECE = "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"
"""A piece that no record names yet (the example of FRC-0069)."""
CLIENT, PROVIDER, NOTARY = "f02208492", "f0411877", "f0101"
"""A client and a provider of the imported records, and the simulated chain's own notary."""
GRANT_BYTES = 1 << 40
PIECE_BYTES = 1 << 35

ALLOCATION = Happening(
    title="The client allocates it to a provider, for one piece",
    lesson="DataCap is set aside for a piece at a provider, who has yet to store it.",
    verb="Sim.Allocate",
    params=(CLIENT, PROVIDER, [{"piece_cid": PIECE, "size_bytes": PIECE_BYTES}]),
    verdict="pending",
)
RETURN = Happening(
    title="The messages are included again",
    lesson="They had gone back to the mempool.",
    verb="Sim.Mine",
    params=(4,),
    verdict="active",
)


def reorganising(depth: int) -> Happening:
    """Another fork replaces the last tipsets, which held the claim."""
    return Happening(
        title="The chain reorganises: other blocks were heavier",
        lesson="The claim's tipsets are gone, and with them the claim. Nothing of it stays in the index.",
        verb="Sim.Fork",
        params=(depth,),
        verdict="pending",
    )


def claiming(allocation_id: int) -> Happening:
    """The provider claims an allocation."""
    return Happening(
        title="The provider proves a sector with the piece, and claims it",
        lesson="From now on a job that reads this piece reads FIL+ data.",
        verb="Sim.Onboard",
        params=(PROVIDER, [allocation_id]),
        verdict="active",
    )


def dump_path(name: str) -> str:
    """Where one of the demo's dumps lies."""
    return str(files("explorer.demo").joinpath(name))


RESULTS_CID = "bafybeif53axbvb3gbbidww37e36kahbfzui4ypp44uqyjs7bvrdmvjesfq"


def job_over(job_id: str, cid: str, publisher: str, requested_bytes: int) -> dict[str, Any]:
    """A cluster's request for a review of a job over one CID, that has run already."""
    return {
        "job_id": job_id,
        "job": {
            "Name": job_id,
            "Type": "batch",
            "Tasks": [
                {
                    "Engine": {"Type": "docker", "Params": {"Image": "example/regrid:1"}},
                    "InputSources": [{"Source": {"Type": "ipfs", "Params": {"CID": cid}}, "Target": "/inputs"}],
                }
            ],
        },
        "cids": [cid],
        "publisher": publisher,
        "requested_bytes": str(requested_bytes),
        "results": {
            "outputs": [{"cid": RESULTS_CID, "size_bytes": requested_bytes // 4}],
            "exit_code": 0,
            "log_tail": "regridded 1,024 of 1,024 tiles\n",
        },
    }


JOBS: tuple[tuple[str, str, int, bool], ...] = (
    ("regrid-2", PIECE, 1 << 39, True),
    ("index-images-7", CHAPTERS[0].cids[0], 1 << 42, False),
    ("archive-everything", PIECE, 1 << 51, True),
)
"""What waits when the story is told: job id, input, bytes, and whether its publisher has proved its address.

The last one is so large that two notaries have to approve.
"""
