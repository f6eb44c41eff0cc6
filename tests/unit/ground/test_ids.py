"""Ids: their shape, and that they sort by the time of their making."""

import re
import time

from explorer.ground.ids import new_id


def test_an_id_is_its_kind_and_a_ulid() -> None:
    made = [new_id("rev") for _ in range(2000)]
    assert all(re.fullmatch(r"rev_[0-7][0-9A-HJKMNP-TV-Z]{25}", one) for one in made)
    assert len(set(made)) == 2000


def test_ids_sort_by_time() -> None:
    first = new_id("clu")
    began_ns = time.monotonic_ns()
    while time.monotonic_ns() - began_ns < 3_000_000:
        pass
    assert first < new_id("clu")
