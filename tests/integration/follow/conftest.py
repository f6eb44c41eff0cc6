"""Fixtures for following a chain."""

import pytest

from node.sim.rpc import v2_methods
from tests.integration.follow.world import FINAL_AFTER


@pytest.fixture
def soon_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that says of younger tipsets that they are final, as one with fast finality does."""
    monkeypatch.setattr(v2_methods, "CHAIN_FINALITY", FINAL_AFTER)
    monkeypatch.setattr(v2_methods, "SAFE_DEPTH", FINAL_AFTER // 2)
