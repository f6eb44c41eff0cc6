"""The answer at the head is provisional, by TermStart ≤ N: once the next tipset is known it stays what it is."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.integration.follow.index import CIDS, LivingIndex
from tests.integration.follow.world import World

ORDERS = ("publish", "activate", "allocate", "onboard", "mine", "skip")
Records = dict[tuple[str, str, int], dict[str, Any]]
STARTS = ("term_start_epoch", "sector_start_epoch")


async def records_at(index: LivingIndex, epoch: int) -> Records:
    """Every record of the answers at an epoch, by CID, kind and id."""
    found: Records = {}
    for cid in CIDS:
        evidence = (await index.document(cid, epoch))["evidence"]
        for kind in ("claims", "deals", "allocations"):
            for one in evidence[kind]["items"]:
                found[cid, kind, one["id"]] = one
    return found


@pytest.mark.parametrize("seed", range(2))
async def test_only_the_answer_at_the_head_changes_and_only_by_what_starts_there(
    pool: asyncpg.Pool, tmp_path: Path, seed: int
) -> None:
    """Tipset by tipset, without a reorg: what was answered at the head, one tipset later, and at random from there."""
    world = World(seed)
    world.live("mine")
    index = LivingIndex(pool, world, tmp_path)
    await index.follow()
    begun = world.height
    world.live(*ORDERS, *world.draw.choices(ORDERS, k=8))
    epochs = [tipset.height for tipset in world.chain.canon.between(begun + 1, world.height)]
    settled: dict[int, Records] = {}
    joined = 0
    for head, following in pairwise(epochs):
        await index.follower.go_to(await index.follower.chain.tipset_at(head))
        at_head = await records_at(index, head)
        await index.follower.go_to(await index.follower.chain.tipset_at(following))
        settled[head] = await records_at(index, head)
        joined += assert_only_starts_joined(at_head, settled[head], head)
        for epoch in world.draw.sample(sorted(settled), min(len(settled), 2)):
            assert await records_at(index, epoch) == settled[epoch], f"seed {seed}: the answer at {epoch}, at {head}"
    assert joined


def assert_only_starts_joined(before: Records, after: Records, epoch: int) -> int:
    """Claims and deals that start at the epoch are all that changed, and allocations that became such claims."""
    changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    for cid, kind, record_id in changed:
        start = after.get((cid, "claims" if kind == "allocations" else kind, record_id), {})
        assert epoch in {start.get(name) for name in STARTS}, f"{kind} {record_id} at {epoch}"
    return len(changed)
