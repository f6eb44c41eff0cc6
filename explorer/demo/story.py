"""What the demo asks, and what it expects to hear."""

from dataclasses import dataclass
from importlib.resources import files

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


def dump_path(name: str) -> str:
    """Where one of the demo's dumps lies."""
    return str(files("explorer.demo").joinpath(name))
