"""Fixtures for following a chain."""

from collections.abc import Callable

import pytest

from node.sim.rpc import v2_methods
from tests.integration.follow.world import FINAL_AFTER


@pytest.fixture
def soon_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that says of younger tipsets that they are final, as one with fast finality does."""
    monkeypatch.setattr(v2_methods, "CHAIN_FINALITY", FINAL_AFTER)
    monkeypatch.setattr(v2_methods, "SAFE_DEPTH", FINAL_AFTER // 2)


@pytest.fixture
def say_seed(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> Callable[[int], None]:
    """Says a seed of a test, whatever becomes of it: in the summary, and in a soak at once as well."""
    is_soak = request.node.get_closest_marker("soak") is not None

    def say(seed: int) -> None:
        record_property("seed", seed)
        if is_soak:
            with capsys.disabled():
                print("\nseed", seed, request.node.name, flush=True)

    return say
