"""Fixtures for following a chain."""

import pytest

from node.sim.rpc import v2_methods

FINAL_AFTER = 60
"""Epochs, instead of 900: so that a chain of some hundred has final ones."""


@pytest.fixture
def soon_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that says of younger tipsets that they are final, as one with fast finality does."""
    monkeypatch.setattr(v2_methods, "CHAIN_FINALITY", FINAL_AFTER)
    monkeypatch.setattr(v2_methods, "SAFE_DEPTH", FINAL_AFTER // 2)
